import { type FileHandle, open } from 'node:fs/promises';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { joinParts, PART_BYTES, partCount, partRoot } from '../../shared/commitments/vector-trees.ts';

/** What a file is found to be. */
export type FileFinding = 'sound' | 'missing' | 'damaged';

/**
 * Holds a stored update to its root, part by part, so that memory does not grow with its length.
 *
 * @param path - where it is
 * @param id - the root it must have
 * @param byteLength - bytes it must have
 */
export async function checkUpdateFile(path: string, id: Hex, byteLength: number): Promise<FileFinding> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    if ((await file.stat()).size !== byteLength) return 'damaged';
    const parts = partCount(byteLength);
    const roots: Uint8Array[] = [];
    const buffer = new Uint8Array(Math.min(PART_BYTES, byteLength));
    for (let part = 0; part < parts; part++) {
      const start = part * PART_BYTES;
      const wanted = Math.min(PART_BYTES, byteLength - start);
      const { bytesRead } = await file.read(buffer, 0, wanted, start);
      if (bytesRead !== wanted) return 'damaged';
      roots.push(partRoot(buffer.subarray(0, wanted), parts === 1));
    }
    return toHex(joinParts(roots)) === id ? 'sound' : 'damaged';
  } finally {
    await file.close();
  }
}
