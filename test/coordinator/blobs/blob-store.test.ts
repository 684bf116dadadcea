import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileBlobStore } from '../../../coordinator/blobs/file-blob-store.ts';
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { hash, temporaryFolder } from '../fixture.ts';

describeBlobStore('files', async () => {
  const folder = join(await temporaryFolder(), 'blobs');
  return { store: await createFileBlobStore(folder), reopen: () => createFileBlobStore(folder) };
});

it('leaves no temporary file behind', async () => {
  const store = await createFileBlobStore(await temporaryFolder());
  await Promise.all([store.put(hash('x'), new Uint8Array(9)), store.put(hash('x'), new Uint8Array(9))]);
  const names = await readdir(store.folder, { recursive: true });
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
