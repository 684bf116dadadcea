import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { StoreError } from './lmdb-store.ts';

/**
 * Copies a job's store as it stands at one moment, also while its coordinator writes to it: LMDB copies from a snapshot.
 *
 * @param from - the store's folder
 * @param to - the folder that the copy goes to; it exists and has no store
 * @throws StoreError `store/unavailable`
 */
export async function copyStore(from: string, to: string): Promise<void> {
  try {
    // Opening a store that is not there for reading ends in the library's own code.
    await access(join(from, 'data.mdb'));
    const source = open({ path: from, readOnly: true, maxDbs: 4 });
    try {
      await source.backup(to, true);
    } finally {
      await source.close();
    }
  } catch (cause) {
    throw new StoreError(
      'store/unavailable',
      `cannot copy the store in ${from} to ${to}: ${(cause as Error).message}`,
      {},
      cause,
    );
  }
}
