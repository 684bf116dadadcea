import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupJob } from '../../coordinator/backup/backup-job.ts';
import { restoreJob } from '../../coordinator/backup/restore-job.ts';
import type { Hex } from '../../shared/bytes.ts';
import { deferred } from '../client/deferred.ts';
import { temporaryFolder } from '../coordinator/fixture.ts';
import { type Federation, openFederation, runClients, type Scene } from './federation.ts';
import { type Outcome, readLog, settle } from './outcome.ts';
import { buildProgram, freePort, type Program } from './program.ts';
import { runUndisturbed, startCoordinator, startSound, stopCoordinator } from './scenario.ts';

const ROUNDS = 3;
let federation: Federation;
let program: Program;
let undisturbed: Outcome;
let finished: Scene;

beforeAll(async () => {
  program = await buildProgram('coordinator-child.ts');
  federation = await openFederation(ROUNDS);
  finished = await federation.freshScene();
  await runUndisturbed(federation, finished);
  undisturbed = await settle(federation, finished);
}, 120_000);

afterAll(async () => {
  await federation?.close();
  await program?.remove();
});

const coded = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('a backup', () => {
  it('that was made in the middle of a round is a job that goes on to the same end', async () => {
    const scene = await federation.freshScene();
    const base = await temporaryFolder();
    let training = 0;
    let snapshot: unknown;
    // Everything as it is while all three train for round 2: chain, clients, and the backup of the coordinator.
    const taken = deferred<void>();
    const take = async (): Promise<void> => {
      snapshot = await federation.rpc.call('evm_snapshot', []);
      // A receipt of round 1 may still be on its way into its place.
      while (
        !(await cp(scene.clients, join(base, 'clients'), { recursive: true }).then(
          () => true,
          () => false,
        ))
      );
      await backupJob(scene.job, join(base, 'backup'));
    };
    const beforeTraining = (): Promise<void> | undefined => {
      if (++training <= 3) return undefined;
      if (training === 6) void take().then(taken.resolve);
      return taken.promise;
    };
    const { signal } = new AbortController();
    {
      await using coordinator = await startSound(federation, scene);
      const port = Number(new URL(coordinator.url).port);
      await runClients(federation, scene, [0, 1, 2], port, { signal, beforeTraining });
    }
    await federation.rpc.call('evm_revert', [snapshot]);
    const coordinator = join(base, 'coordinator');
    const job = join(coordinator, 'jobs', federation.terms.job.slice(2));
    expect(await restoreJob(join(base, 'backup'), job)).toMatchObject({ rounds: 1, phase: 'collecting' });
    const restored: Scene = {
      ...{ coordinator, job, clients: join(base, 'clients') },
      client: (index) => join(base, 'clients', String(index)),
    };
    await runUndisturbed(federation, restored);
    expect(await settle(federation, restored)).toEqual(undisturbed);
  }, 60_000);

  it('whose last record reached the chain, but not its log, finds the record there', async () => {
    const scene = await federation.freshScene();
    const base = await temporaryFolder();
    const port = await freePort();
    const controller = new AbortController();
    const clients = runClients(federation, scene, [0, 1, 2], port, { signal: controller.signal });
    const point = 'log: roundAnchored is appended | before#2';
    const life = startCoordinator(program, federation, scene, port, { FEDANCHOR_CRASH_AT: point });
    expect(await life.ended).toBe('SIGKILL');
    await backupJob(scene.job, join(base, 'backup'));
    // The coordinator's outbox is not part of a job, and is lost with the rest of its disk.
    await rm(scene.coordinator, { recursive: true });
    expect(await restoreJob(join(base, 'backup'), scene.job)).toMatchObject({ rounds: 1, phase: 'anchoring' });
    const next = startCoordinator(program, federation, scene, port);
    expect((await clients).map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
    await stopCoordinator(next);
    expect(await settle(federation, scene)).toEqual(undisturbed);
  }, 60_000);

  it('is whole at whatever moment of the job it is made, by another process than the coordinator', async () => {
    const scene = await federation.freshScene();
    const base = await temporaryFolder();
    const port = await freePort();
    const life = startCoordinator(program, federation, scene, port);
    await life.said('listening');
    const backups: string[] = [];
    let isRunning = true;
    const { signal } = new AbortController();
    const clients = runClients(federation, scene, [0, 1, 2], port, { signal }).finally(() => {
      isRunning = false;
    });
    while (isRunning) {
      const target = join(base, `backup-${backups.length}`);
      await backupJob(scene.job, target, { linkBlobs: backups.length % 2 === 1 });
      backups.push(target);
    }
    await clients;
    await stopCoordinator(life);
    const log = await readLog(scene);
    const seen: number[] = [];
    for (const backup of backups) {
      const folder = `${backup}-restored`;
      const { events } = await restoreJob(backup, folder);
      seen.push(events);
      expect(await readLog({ ...scene, job: folder })).toEqual(log.slice(0, events));
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(backups.length).toBeGreaterThan(2);
  }, 60_000);

  it('keeps the secret seeds to its owner, and can be restored again', async () => {
    const base = await temporaryFolder();
    const [backup, first, second] = [join(base, 'backup'), join(base, 'first'), join(base, 'second')];
    const report = await backupJob(finished.job, backup);
    expect((await stat(join(backup, 'seed-secret'))).mode & 0o077).toBe(0);
    expect(await restoreJob(backup, first)).toMatchObject({ ...report, phase: 'closed', rounds: ROUNDS });
    expect((await stat(join(first, 'seed-secret'))).mode & 0o077).toBe(0);
    expect(await restoreJob(backup, second)).toMatchObject(report);
    expect(await backupJob(second, join(base, 'again'))).toEqual(report);
  });

  it('is not made over anything, and nothing is restored over anything', async () => {
    const base = await temporaryFolder();
    const backup = join(base, 'backup');
    await backupJob(finished.job, backup);
    await expect(backupJob(finished.job, backup)).rejects.toThrow(coded('backup/target-in-use'));
    await expect(restoreJob(backup, finished.job)).rejects.toThrow(coded('backup/target-in-use'));
    expect((await restoreJob(backup, join(base, 'restored'))).rounds).toBe(ROUNDS);
  });

  it('does without updates that are past their retention, and without no other blob', async () => {
    const base = await temporaryFolder();
    const job = join(base, 'job');
    await cp(finished.job, job, { recursive: true });
    const [first] = undisturbed.records;
    const log = await readLog(finished);
    const updates = log.flatMap((event) => (event.type === 'updateAccepted' ? [event.statement.updateRoot] : []));
    const fileOf = (id: Hex): string => join(job, 'blobs', id.slice(2, 4), id.slice(2));
    for (const id of updates) await rm(fileOf(id));
    const backup = join(base, 'backup');
    await backupJob(job, backup);
    expect(await restoreJob(backup, join(base, 'restored'))).toMatchObject({ phase: 'closed' });
    await rm(fileOf(first?.aggregateRoot as Hex));
    await expect(backupJob(job, join(base, 'other'))).rejects.toThrow(coded('backup/incomplete'));
    expect(await readdir(base)).not.toContain('other');
  });

  describe('that has suffered is not restored, and leaves nothing behind:', () => {
    const harms: [string, string, (backup: string, anyBlob: string) => Promise<void>][] = [
      ['without its note', 'backup/not-a-backup', (backup) => rm(join(backup, 'backup.json'))],
      [
        'with a damaged note',
        'backup/not-a-backup',
        (backup) => writeFile(join(backup, 'backup.json'), '{"version":1'),
      ],
      ['without a blob', 'backup/incomplete', (_, blob) => rm(blob)],
      [
        'with a flipped bit',
        'backup/damaged',
        async (_, blob) => {
          const bytes = await readFile(blob);
          bytes[3] = (bytes[3] as number) ^ 1;
          await writeFile(blob, bytes);
        },
      ],
      ['without its log', 'backup/incomplete', (backup) => rm(join(backup, 'store'), { recursive: true })],
      ['with another log', 'backup/damaged', (backup) => writeFile(join(backup, 'store', 'data.mdb'), Buffer.alloc(9))],
      ['without its seeds', 'backup/incomplete', (backup) => rm(join(backup, 'seed-secret'))],
      [
        'with other seeds',
        'backup/damaged',
        (backup) => writeFile(join(backup, 'seed-secret'), `0x${'77'.repeat(32)}`),
      ],
      ['with another manifest', 'backup/damaged', (backup) => writeFile(join(backup, 'manifest.json'), '{}')],
    ];
    it.each(harms)('%s', async (_, code, harm) => {
      const base = await temporaryFolder();
      const backup = join(base, 'backup');
      await backupJob(finished.job, backup);
      const id = undisturbed.records[1]?.modelRoot as Hex;
      await harm(backup, join(backup, 'blobs', id.slice(2, 4), id.slice(2)));
      await expect(restoreJob(backup, join(base, 'restored'))).rejects.toThrow(coded(code));
      expect(await readdir(base)).toEqual(['backup']);
    });
  });
});
