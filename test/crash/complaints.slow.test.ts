import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toQuantity } from '../../contracts/rpc.ts';
import { backupJob } from '../../coordinator/backup/backup-job.ts';
import { restoreJob } from '../../coordinator/backup/restore-job.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, int32Vector } from '../../shared/commitments/vector-trees.ts';
import { temporaryFolder } from '../coordinator/fixture.ts';
import { OPERATOR } from './crash-job.ts';
import { type Federation, openFederation, runClients, type Scene } from './federation.ts';
import { type Outcome, settle } from './outcome.ts';
import { buildProgram, freePort, type Program } from './program.ts';
import { runUndisturbed, runWithCrashes, startCoordinator, stopCoordinator } from './scenario.ts';

let federation: Federation;
let program: Program;
let undisturbed: Outcome;

beforeAll(async () => {
  program = await buildProgram('coordinator-child.ts');
  federation = await openFederation(2);
  const scene = await federation.freshScene();
  await runUndisturbed(federation, scene);
  undisturbed = await settle(federation, scene);
}, 120_000);

afterAll(async () => {
  await federation?.close();
  await program?.remove();
});

/** Those that hold of the rounds' pure machine are in test/coordinator/round/complaints.test.ts. */
describe('what operators complain of', () => {
  it('a crash does not mean: submit the job again. The coordinator is just started, and the job ends as if nothing had happened', async () => {
    const scene = await federation.freshScene();
    const point = 'log: updateAccepted is appended | after#2';
    expect(await runWithCrashes(program, federation, scene, [point])).toEqual([]);
    expect(await settle(federation, scene)).toEqual(undisturbed);
  }, 60_000);

  it('the model is not stranded on the node that died: it goes on elsewhere, from a backup and the chain', async () => {
    const scene = await federation.freshScene();
    const base = await temporaryFolder();
    const port = await freePort();
    const { signal } = new AbortController();
    const clients = runClients(federation, scene, [0, 1, 2], port, { signal });
    const point = 'log: roundAnchored is appended | before#2';
    const dying = startCoordinator(program, federation, scene, port, { FEDANCHOR_CRASH_AT: point });
    expect(await dying.ended).toBe('SIGKILL');
    await backupJob(scene.job, join(base, 'backup'));
    await rm(scene.coordinator, { recursive: true });

    const coordinator = join(base, 'elsewhere');
    const job = join(coordinator, 'jobs', federation.terms.job.slice(2));
    await restoreJob(join(base, 'backup'), job);
    const elsewhere: Scene = { ...scene, coordinator, job };
    const next = startCoordinator(program, federation, elsewhere, port);
    expect((await clients).map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
    await stopCoordinator(next);
    expect(await settle(federation, elsewhere)).toEqual(undisturbed);
    const { modelRoot } = undisturbed.records[1] as Outcome['records'][0];
    const model = await (await createFileBlobStore(join(job, 'blobs'))).get(modelRoot);
    expect(blockRoot(TREE.model, int32Vector(model as Uint8Array))).toBe(modelRoot);
  }, 60_000);

  it('no reward is lost when a transaction fails: the coordinator says what it lacks, waits, and everybody is paid in full', async () => {
    const scene = await federation.freshScene();
    const setBalance = (wei: bigint) =>
      federation.rpc.call('anvil_setBalance', [OPERATOR.signer.address, toQuantity(wei)]);
    await setBalance(0n);
    const port = await freePort();
    const { signal } = new AbortController();
    const life = startCoordinator(program, federation, scene, port);
    const clients = runClients(federation, scene, [0, 1, 2], port, { signal });
    await life.told('outbox/empty-wallet');
    expect((await federation.ledger.records()).length).toBe(0);
    await setBalance(10n ** 20n);
    expect((await clients).map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
    await stopCoordinator(life);
    expect(await settle(federation, scene)).toEqual(undisturbed);
  }, 60_000);
});
