import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import type { BlobStore } from './blob-store.ts';
import { readIfPresent, syncFolder, writeDurably } from './files.ts';

/**
 * Keeps blobs as files: `0xabcd…` lies at `ab/abcd…` under the folder.
 *
 * @param folder - created if missing
 */
export async function createFileBlobStore(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true });
  const relativePath = (id: Hex): string => join(id.slice(2, 4), id.slice(2));
  const sizeOf = async (id: Hex): Promise<number | undefined> => {
    try {
      return (await stat(join(folder, relativePath(id)))).size;
    } catch {
      return undefined;
    }
  };
  return {
    folder,
    relativePath,
    size: sizeOf,
    get: (id) => readIfPresent(join(folder, relativePath(id))),
    put: async (id, bytes) => {
      const path = join(folder, relativePath(id));
      const there = await readIfPresent(path);
      // Compared in full, so that putting a blob again mends one that the disk has damaged.
      if (there && Buffer.compare(there, bytes) === 0) return;
      const isNew = await mkdir(dirname(path), { recursive: true });
      if (isNew !== undefined) await syncFolder(folder);
      await writeDurably(path, bytes);
    },
  };
}
