import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openLmdbStores } from '../../../coordinator/stores/lmdb-store.ts';
import { describeEventStore } from '../../conformance/event-store.ts';
import { describeOutboxStore } from '../../conformance/outbox-store.ts';
import { temporaryFolder } from '../fixture.ts';

async function openTemporary() {
  const folder = join(await temporaryFolder(), 'store');
  let open = openLmdbStores(folder);
  onTestFinished(() => open.close());
  return {
    stores: open,
    reopen: async () => {
      await open.close();
      open = openLmdbStores(folder);
      return open;
    },
  };
}

describeEventStore('LMDB', async () => {
  const { stores, reopen } = await openTemporary();
  return { store: stores.events, reopen: async () => (await reopen()).events };
});

describeOutboxStore('LMDB', async () => {
  const { stores, reopen } = await openTemporary();
  return { store: stores.outbox, reopen: async () => (await reopen()).outbox };
});

it('says when it cannot use the folder', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, 'not a folder');
  expect(() => openLmdbStores(join(file, 'store'))).toThrow(
    expect.objectContaining({ code: 'store/unavailable' }) as Error,
  );
});
