import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileOutboxStore } from '../../../client/watcher/file-outbox-store.ts';
import { describeOutboxStore } from '../../conformance/outbox-store.ts';

describeOutboxStore('files', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'fedanchor-outbox-')), 'rows');
  return { store: await createFileOutboxStore(folder), reopen: () => createFileOutboxStore(folder) };
});
