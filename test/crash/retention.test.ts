import { afterAll, beforeAll, expect, it } from 'vitest';
import { audit } from '../../client/auditor/audit.ts';
import { createFolderBlobSource } from '../../client/auditor/folder-blob-source.ts';
import { createRetentionView } from '../../client/auditor/retention.ts';
import { recoverAddress } from '../../contracts/wallet.ts';
import { collectUpdates } from '../../coordinator/blobs/collector.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import { createQuietLog } from '../coordinator/fixture.ts';
import { PARTICIPANTS, RETENTION_S } from './crash-job.ts';
import { type Federation, openFederation, type Scene } from './federation.ts';
import { readLog } from './outcome.ts';
import { runUndisturbed } from './scenario.ts';

const ROUNDS = 2;
let federation: Federation;
let scene: Scene;

beforeAll(async () => {
  federation = await openFederation(ROUNDS);
  scene = await federation.freshScene();
  await runUndisturbed(federation, scene);
}, 60_000);

afterAll(() => federation?.close());

it('a job on a real chain is audited in full until its retention is over, and by its roots after its updates have gone', async () => {
  const { ledger } = federation;
  const collect = async (): Promise<number> =>
    collectUpdates({
      ...{ history: await readLog(scene), ledger, retentionS: RETENTION_S, log: createQuietLog() },
      blobs: await createFileBlobStore(`${scene.job}/blobs`),
    });
  const verify = async () =>
    audit({
      ...{ facts: await ledger.facts(), records: await ledger.records(), recover: recoverAddress },
      ...{ blobs: createFolderBlobSource(`${scene.job}/blobs`), retention: createRetentionView(ledger) },
    });

  await federation.passWindow();
  // Final, but not for long enough.
  expect(await collect()).toBe(0);
  await federation.passTime(RETENTION_S - 60);
  expect(await collect()).toBe(0);
  expect((await verify()).rounds).toMatchObject([{ holds: true }, { holds: true }]);

  await federation.passTime(120);
  expect(await collect()).toBe(ROUNDS * PARTICIPANTS.length);
  expect(await collect()).toBe(0);
  const report = await verify();
  expect(report.holds).toBe(true);
  expect(report.rounds).toMatchObject([
    { holds: true, rootsOnly: true },
    { holds: true, rootsOnly: true },
  ]);
});
