import { closeSync, openSync, readSync } from 'node:fs';
import { ROW_BYTES } from './tile-plan.ts';
import type { RowSource } from './walk.ts';

/** A row whose file could not be read. */
export class RowUnreadable extends Error {
  /** Its position among the rows. */
  readonly row: number;

  /**
   * @param row - its position among the rows
   * @param cause - what the system said
   */
  constructor(row: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.row = row;
  }
}

/** Rows as one thread reads them. */
export interface RowReaders {
  /**
   * Makes a stretch of every row that is in a file available.
   *
   * @param from - first coordinate
   * @param to - the coordinate after the last; at most the staged blocks' worth of coordinates from the first
   * @throws RowUnreadable
   */
  stage(from: number, to: number): void;
  /** Address in memory of a coordinate of a row, within the stretch staged last. */
  addressOf(row: number, coordinate: number): number;
  /** Closes the files. */
  close(): void;
}

/** Files that a thread keeps open; a process may not have very many. */
const MOST_OPEN = 256;

/**
 * Opens rows for reading.
 *
 * @param staging - address of the room for stretches of rows in files
 * @param stagedBlocks - blocks of such a stretch
 */
export function openRows(
  memory: Uint8Array,
  rows: readonly RowSource[],
  staging: number,
  stagedBlocks: number,
): RowReaders {
  const handles = new Map<string, number>();
  const handleOf = (path: string): number => {
    const handle = handles.get(path) ?? openSync(path, 'r');
    handles.set(path, handle);
    return handle;
  };
  const close = (): void => {
    for (const handle of handles.values()) closeSync(handle);
    handles.clear();
  };
  const room = (row: number): number => staging + row * stagedBlocks * ROW_BYTES;
  let first = 0;
  return {
    stage: (from, to) => {
      first = from;
      for (const [row, source] of rows.entries()) {
        if (!('path' in source)) continue;
        try {
          const into = memory.subarray(room(row), room(row) + (to - from) * 2);
          readFully(handleOf(source.path), into, from * 2);
        } catch (error) {
          throw new RowUnreadable(row, error);
        }
        if (handles.size >= MOST_OPEN) close();
      }
    },
    addressOf: (row, coordinate) => {
      const source = rows[row] as RowSource;
      return 'path' in source ? room(row) + (coordinate - first) * 2 : source.at + coordinate * 2;
    },
    close,
  };
}

function readFully(handle: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const count = readSync(handle, into, done, into.length - done, position + done);
    if (count === 0) throw new Error(`the file ends after ${position + done} bytes`);
    done += count;
  }
}
