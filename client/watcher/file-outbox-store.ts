import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutboxRow, OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { createFolder, readIfPresent, replaceFile } from '../journal/durable-files.ts';

/**
 * An outbox's rows in files, one a row, each synced to disk before it counts. For a wallet that sends seldom, such as a
 * watcher's.
 *
 * @param folder - created if it is missing
 */
export async function createFileOutboxStore(folder: string): Promise<OutboxStore> {
  await createFolder(folder);
  const path = (id: string): string => join(folder, `${createHash('sha256').update(id).digest('hex')}.json`);
  const read = async (file: string): Promise<OutboxRow | undefined> => {
    const bytes = await readIfPresent(file);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as OutboxRow);
  };
  return {
    put: (row) => replaceFile(path(row.id), new TextEncoder().encode(JSON.stringify(row))),
    get: (id) => read(path(id)),
    all: async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
      const rows = await Promise.all(names.map((name) => read(join(folder, name))));
      return rows.filter((row) => row !== undefined);
    },
  };
}
