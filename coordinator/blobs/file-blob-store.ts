import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import type { BlobStore } from './blob-store.ts';
import { readIfPresent, syncFolder, writeDurably } from './files.ts';

/** Where a blob lies under the folder of all blobs. */
export function blobPathOf(id: Hex): string {
  return join(id.slice(2, 4), id.slice(2));
}

/**
 * Keeps blobs as files: `0xabcd…` lies at `ab/abcd…` under the folder.
 *
 * @param folder - created if missing
 */
export async function createFileBlobStore(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true });
  const sizeOf = async (id: Hex): Promise<number | undefined> => {
    try {
      return (await stat(join(folder, blobPathOf(id)))).size;
    } catch {
      return undefined;
    }
  };
  return {
    folder,
    relativePath: blobPathOf,
    size: sizeOf,
    remove: (id) => rm(join(folder, blobPathOf(id)), { force: true }),
    get: (id) => readIfPresent(join(folder, blobPathOf(id))),
    put: async (id, bytes) => {
      const path = join(folder, blobPathOf(id));
      const there = await readIfPresent(path);
      // Compared in full, so that putting a blob again mends one that the disk has damaged.
      if (there && Buffer.compare(there, bytes) === 0) return;
      const isNew = await mkdir(dirname(path), { recursive: true });
      if (isNew !== undefined) await syncFolder(folder);
      await writeDurably(path, bytes);
    },
  };
}
