import { type FileHandle, open } from 'node:fs/promises';
import type { UpdateRows } from '../aggregation/engine.ts';
import { int16Vector } from '../commitments/vector-trees.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { memoryBlocks, type UpdateBlocks } from '../openings/round-view.ts';

/** Updates whose files are open. */
export interface OpenUpdateBlocks extends UpdateBlocks {
  /** Closes the files. */
  close(): Promise<void>;
}

const BLOCK_BYTES = BLOCK * 2;

/**
 * Opens a round's updates for reading by blocks, from memory or from their files; a file is opened when it is first read.
 *
 * Reading throws what the file system throws, and a RangeError where a file is too short.
 */
export function openUpdateBlocks(rows: UpdateRows): OpenUpdateBlocks {
  if (rows.place === 'memory') return { ...memoryBlocks(rows.rows), close: async () => {} };
  const { paths, dimension } = rows;
  const handles = new Map<number, Promise<FileHandle>>();
  const handleOf = (row: number): Promise<FileHandle> => {
    const handle = handles.get(row) ?? open(paths[row] as string, 'r');
    handles.set(row, handle);
    return handle;
  };
  return {
    n: paths.length,
    blocks: dimension / BLOCK,
    async read(row, first, count) {
      const bytes = new Uint8Array(count * BLOCK_BYTES);
      const handle = await handleOf(row);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, first * BLOCK_BYTES + done);
        if (bytesRead === 0) throw new RangeError(`the file of update ${row} ends before block ${first + count}`);
        done += bytesRead;
      }
      return int16Vector(bytes);
    },
    async close() {
      const open = await Promise.allSettled(handles.values());
      handles.clear();
      await Promise.all(open.map((handle) => (handle.status === 'fulfilled' ? handle.value.close() : undefined)));
    },
  };
}
