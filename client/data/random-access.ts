import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { DataError } from './data-error.ts';

/** A file that is read by position. */
export interface RandomAccess {
  /** Its name, for people. */
  readonly name: string;
  /** Its size, unpacked. */
  readonly bytes: number;
  /**
   * Reads exactly so many bytes.
   *
   * @throws DataError `data/changed` where the file has become shorter
   */
  read(position: number, length: number): Uint8Array;
  /** All of it, in pieces, in order. */
  stream(): AsyncIterable<Uint8Array>;
  /** Closes it. */
  close(): void;
}

const PIECE_BYTES = 1 << 20;

/**
 * Opens a file for reading by position. One that ends in `.gz` is unpacked first, into a temporary file that only this
 * process can reach and that goes with it: memory does not grow with the file.
 *
 * @throws DataError `data/unreadable`
 */
export async function openRandomAccess(path: string): Promise<RandomAccess> {
  try {
    if (!path.endsWith('.gz')) return overDescriptor(path, openSync(path, 'r'));
    const folder = await mkdtemp(join(tmpdir(), 'fedanchor-data-'));
    try {
      return overDescriptor(path, await unpack(path, join(folder, 'unpacked')), folder);
    } finally {
      // An open file outlives its name, but for Windows, where it goes when it is closed.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  } catch (cause) {
    throw new DataError(
      'data/unreadable',
      `${path} cannot be read (${(cause as Error).message}): check the file, its permissions and, for .gz, the space for temporary files`,
      { file: path },
      cause,
    );
  }
}

async function unpack(path: string, into: string): Promise<number> {
  await pipeline(createReadStream(path), createGunzip(), createWriteStream(into, { mode: 0o600, flags: 'wx' }));
  return openSync(into, 'r');
}

function overDescriptor(name: string, descriptor: number, temporary?: string): RandomAccess {
  const bytes = fstatSync(descriptor).size;
  const read = (position: number, length: number): Uint8Array => {
    const piece = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const got = readSync(descriptor, piece, filled, length - filled, position + filled);
      if (got === 0) throw changed(name);
      filled += got;
    }
    return piece;
  };
  let isOpen = true;
  return {
    name,
    bytes,
    read,
    stream: async function* () {
      for (let position = 0; position < bytes; position += PIECE_BYTES) {
        yield read(position, Math.min(PIECE_BYTES, bytes - position));
      }
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(descriptor);
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** The error for a file that is not what it was when it was opened. */
export function changed(name: string, cause?: unknown): DataError {
  return new DataError(
    'data/changed',
    `${name} has changed since it was opened: leave data alone while a client trains on it, and start again`,
    { file: name },
    cause,
  );
}
