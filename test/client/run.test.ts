import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileJournal } from '../../client/journal/file-journal.ts';
import type { Log } from '../../client/log.ts';
import { type ClientOptions, createClient } from '../../client/run.ts';
import { TrainerError } from '../../client/trainers/trainer-error.ts';
import { createWallet, recoverAddress } from '../../contracts/wallet.ts';
import { toHex } from '../../shared/bytes.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import { updateTree } from '../../shared/commitments/vector-trees.ts';
import { type Deferred, deferred } from './deferred.ts';
import { Refused, type ScriptedCoordinator, signReceipt, startScriptedCoordinator } from './scripted-coordinator.ts';
import { createToyJob, createToyTrainer, type ToyTrainer } from './toy-job.ts';

const wallet = createWallet(`0x${'7a'.repeat(32)}`);
const job = createToyJob();
const [genesis, afterOne, afterTwo] = job.models;

let coordinator: ScriptedCoordinator;
let stateDir: string;
/** Resolves when the client has told of an accepted update: its receipt is kept before. */
let receiptKept: Deferred<void>;
let told: { readonly level: keyof Log; readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[];
beforeEach(async () => {
  told = [];
  receiptKept = deferred();
  stateDir = await mkdtemp(join(tmpdir(), 'fedanchor-client-'));
  coordinator = await startScriptedCoordinator(job.terms, job.models);
});
afterEach(async () => {
  await coordinator.close();
  await rm(stateDir, { recursive: true, force: true });
});

const log = Object.fromEntries(
  (['debug', 'info', 'warn', 'error'] as const).map((level) => [
    level,
    (fields: Readonly<Record<string, unknown>>, message: string) => {
      told.push({ level, fields, message });
      if (message === 'update accepted') receiptKept.resolve();
    },
  ]),
) as unknown as Log;

function start(trainer: ToyTrainer, changes: Partial<ClientOptions> = {}) {
  return createClient({
    coordinatorUrl: coordinator.url,
    facts: coordinator.facts,
    signer: wallet,
    createTrainer: async () => trainer,
    stateDir,
    seed: 7,
    requestTimeoutMs: 20_000,
    pauses: { firstDelayMs: 1, mostDelayMs: 5 },
    log,
    ...changes,
  }).run();
}

function openJournal() {
  return createFileJournal({ folder: stateDir, participant: wallet.address, sign: () => '0x' });
}

/** Plays both rounds and closes the job. */
async function playJob(): Promise<void> {
  coordinator.open(job.plan(1));
  await coordinator.answered('update.submit', 1);
  coordinator.open(job.plan(2));
  await coordinator.answered('update.submit', 2);
  coordinator.say({ phase: 'closed', round: 2, modelRoot: afterTwo?.root as `0x${string}`, plan: null });
}

describe('createClient', () => {
  it('takes part from the first round to the last', async () => {
    const trainer = createToyTrainer();
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    await playJob();
    expect(await running).toEqual({ kind: 'closed', rounds: 2, modelRoot: afterTwo?.root });
    expect(trainer.isDisposed()).toBe(true);

    const submissions = coordinator.payloads('update.submit');
    expect(submissions.map(({ statement }) => [statement.round, statement.parentRoot])).toEqual([
      [1, genesis?.root],
      [2, afterOne?.root],
    ]);
    for (const { statement, signature } of submissions) {
      expect(recoverAddress(updateDigest(coordinator.facts, statement), signature)).toBe(wallet.address);
      const bytes = coordinator.parts.get(`${statement.updateRoot}/0`) as Uint8Array;
      expect(toHex(updateTree(bytes).root)).toBe(statement.updateRoot);
      expect(bytes).toHaveLength(job.terms.layout.dimension * 2);
      expect(statement).toMatchObject({ job: job.terms.job, attempt: 0, samples: 77 });
    }
    expect(coordinator.payloads('metrics.report')).toMatchObject([
      { round: 0, modelRoot: genesis?.root, correct: 3, total: 10, lossSum: 12.5, constantCorrect: 1 },
      { round: 1, modelRoot: afterOne?.root },
      { round: 2, modelRoot: afterTwo?.root },
    ]);
    expect(trainer.evaluated).toEqual([0.5, 0.625, 0.75]);
    expect(await openJournal().receipts(job.terms.job)).toMatchObject([
      { round: 1, verdict: 'accepted' },
      { round: 2, verdict: 'accepted' },
    ]);
  });

  it('sends the same roots again from the same seed, others from another', async () => {
    const rootsFrom = async (seed: number): Promise<string[]> => {
      const folder = await mkdtemp(join(tmpdir(), 'fedanchor-client-'));
      const before = coordinator.payloads('update.submit').length;
      const running = start(createToyTrainer(), { seed, stateDir: folder });
      await coordinator.answered('job.join', coordinator.payloads('job.join').length + 1);
      coordinator.open(job.plan(1));
      await coordinator.answered('update.submit', before + 1);
      coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
      await running;
      coordinator.say({ phase: 'open', reason: null });
      await rm(folder, { recursive: true, force: true });
      return coordinator
        .payloads('update.submit')
        .slice(before)
        .map(({ statement }) => statement.updateRoot);
    };
    const first = await rootsFrom(7);
    expect(await rootsFrom(7)).toEqual(first);
    expect(await rootsFrom(8)).not.toEqual(first);
  });

  it('uploads an update of several parts, only those that are missing', async () => {
    const large = createToyJob(600_000);
    await coordinator.close();
    coordinator = await startScriptedCoordinator(large.terms, large.models);
    const puts: string[] = [];
    coordinator.intercept = (request) => {
      if (request.method === 'PUT') puts.push(request.url ?? '');
      return false;
    };
    coordinator.handlers['update.offer'] = (_request, standard) => {
      const { missing } = standard() as { missing: number[] };
      return { missing: missing.slice(1) };
    };
    const running = start(createToyTrainer());
    await coordinator.answered('job.join', 1);
    coordinator.open(large.plan(1));
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.payloads('update.offer')[0]?.partRoots).toHaveLength(2);
    expect(puts.map((url) => url.split('/').at(-1))).toEqual(['1']);
  });

  it('declines a round that cannot be trained, and answers the next', async () => {
    const trainer = createToyTrainer(async ({ round }) => {
      if (round === 1) throw new TrainerError('trainer/diverged', 'the loss is not finite: lower the learning rate');
    });
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('round.decline', 1);
    coordinator.open(job.plan(2));
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    expect(await running).toEqual({ kind: 'failed', reason: 'enough' });
    expect(coordinator.payloads('round.decline')).toEqual([
      {
        job: job.terms.job,
        round: 1,
        attempt: 0,
        code: 'trainer/diverged',
        message: 'the loss is not finite: lower the learning rate',
      },
    ]);
  });

  it('gives up stale training when a newer attempt opens', async () => {
    const begun = deferred<void>();
    const aborted = deferred<void>();
    const trainer = createToyTrainer(async (task, signal) => {
      if (trainer.tasks.length > 1) return;
      begun.resolve();
      await new Promise<void>((_, reject) => {
        signal?.addEventListener('abort', () => {
          aborted.resolve();
          reject(new TrainerError('trainer/aborted', `round ${task.round} was given up`));
        });
      });
    });
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await begun.promise;
    coordinator.open(job.plan(1, 1));
    await aborted.promise;
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.payloads('update.submit')).toMatchObject([{ statement: { round: 1, attempt: 1 } }]);
    expect(coordinator.payloads('round.decline')).toEqual([]);
    expect(trainer.tasks[0]?.seed).not.toBe(trainer.tasks[1]?.seed);
  });

  it.each(['update.offer', 'update.submit'] as const)(
    'connects again when the connection breaks during %s, and sends the same update',
    async (name) => {
      let broken = 0;
      coordinator.handlers[name] = (_request: unknown, standard: () => unknown) => {
        if (broken++ > 0) return standard();
        coordinator.drop();
        return new Promise(() => {});
      };
      const trainer = createToyTrainer();
      const running = start(trainer);
      await coordinator.answered('job.join', 1);
      await playJob();
      expect(await running).toMatchObject({ kind: 'closed' });
      expect(coordinator.payloads('job.join')).toHaveLength(2);
      expect(coordinator.payloads('session.challenge')).toHaveLength(2);
      const sent = coordinator.payloads(name) as { round?: number; updateRoot?: string }[];
      expect(sent.length).toBe(3);
      const roots = coordinator.payloads('update.offer').filter(({ round }) => round === 1);
      expect(new Set(roots.map(({ updateRoot }) => updateRoot)).size).toBe(1);
      expect(trainer.tasks).toHaveLength(2);
    },
  );

  it('goes on training while the connection is down', async () => {
    const trainer = createToyTrainer(async ({ round }) => {
      if (round > 1) return;
      coordinator.drop();
      await coordinator.answered('job.join', 2);
    });
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    await playJob();
    expect(await running).toMatchObject({ kind: 'closed' });
    expect(trainer.tasks).toHaveLength(2);
  });

  it('sends after a crash what it had signed, whatever it would train now', async () => {
    const crash = new AbortController();
    coordinator.handlers['update.offer'] = () => {
      // The client dies with its update signed and announced, but not answered.
      crash.abort();
      return new Promise(() => {});
    };
    const running = start(createToyTrainer(), { signal: crash.signal });
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    expect(await running).toEqual({ kind: 'aborted' });
    delete coordinator.handlers['update.offer'];

    const second = createToyTrainer();
    const again = start(second, { seed: 99 });
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await again;
    expect(second.tasks).toEqual([]);
    const roots = coordinator.payloads('update.offer').map(({ updateRoot }) => updateRoot);
    expect(roots).toHaveLength(2);
    expect(new Set(roots).size).toBe(1);
    expect(coordinator.payloads('update.submit')[0]?.statement.updateRoot).toBe(roots[0]);
  });

  it('signs nothing in place of a journal entry that is damaged', async () => {
    const journalFolder = join(stateDir, wallet.address, job.terms.job);
    const first = new AbortController();
    coordinator.handlers['update.offer'] = () => {
      first.abort();
      return new Promise(() => {});
    };
    const running = start(createToyTrainer(), { signal: first.signal });
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await running;
    const update = (await readdir(journalFolder)).find((name) => name.endsWith('.update')) as string;
    await rm(join(journalFolder, update));

    const trainer = createToyTrainer();
    const again = start(trainer);
    await coordinator.answered('round.decline', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await again;
    expect(coordinator.payloads('round.decline')).toMatchObject([{ round: 1, code: 'journal/damaged' }]);
    expect(trainer.tasks).toEqual([]);
  });

  it('sends nothing again for what has its receipt', async () => {
    const stop = new AbortController();
    const running = start(createToyTrainer(), { signal: stop.signal });
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('update.submit', 1);
    await receiptKept.promise;
    stop.abort();
    await running;

    const trainer = createToyTrainer();
    const again = start(trainer);
    await coordinator.answered('job.join', 2);
    coordinator.open(job.plan(2));
    await coordinator.answered('update.submit', 2);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await again;
    expect(coordinator.payloads('update.offer').map(({ round }) => round)).toEqual([1, 2]);
    expect(trainer.tasks.map(({ round }) => round)).toEqual([2]);
  });

  it('gets a fresh token when its own has expired', async () => {
    const trainer = createToyTrainer(async () => coordinator.tokens.clear());
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    await playJob();
    expect(await running).toMatchObject({ kind: 'closed' });
    expect(coordinator.payloads('session.open').length).toBeGreaterThan(1);
    expect(coordinator.payloads('job.join')).toHaveLength(1);
  });

  it('offers again what the coordinator says it never got', async () => {
    let forgotten = 0;
    coordinator.handlers['update.submit'] = ({ statement }, standard) => {
      if (forgotten++ > 0) return standard();
      coordinator.parts.clear();
      const signer = createWallet(`0x${'c0'.repeat(32)}`);
      return {
        receipt: signReceipt(signer, coordinator.facts, statement, wallet.address, 'rejected', 'gate/not-uploaded'),
      };
    };
    const running = start(createToyTrainer());
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('update.submit', 2);
    await receiptKept.promise;
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.parts.size).toBe(1);
    expect(await openJournal().receipts(job.terms.job)).toMatchObject([{ verdict: 'accepted' }]);
  });

  it.each([
    ['signed by another', createWallet(`0x${'bb'.repeat(32)}`), {}],
    ['about another update', createWallet(`0x${'c0'.repeat(32)}`), { updateRoot: `0x${'01'.repeat(32)}` as const }],
    ['about another round', createWallet(`0x${'c0'.repeat(32)}`), { round: 9 }],
  ])('tells of a receipt %s and does not keep it', async (_, signer, changes) => {
    coordinator.handlers['update.submit'] = ({ statement }) => ({
      receipt: signReceipt(signer, coordinator.facts, { ...statement, ...changes }, wallet.address, 'accepted'),
    });
    const running = start(createToyTrainer());
    await coordinator.answered('job.join', 1);
    await playJob();
    await running;
    expect(told.filter(({ level }) => level === 'error').map(({ fields }) => fields['code'])).toContain(
      'session/bad-receipt',
    );
    expect(await openJournal().receipts(job.terms.job)).toEqual([]);
  });

  it('trains on no model but the one asked for', async () => {
    const damaged = Uint8Array.from(coordinator.blobs.get(genesis?.root as `0x${string}`) as Uint8Array);
    damaged[5] = (damaged[5] as number) ^ 1;
    coordinator.blobs.set(genesis?.root as `0x${string}`, damaged);
    const trainer = createToyTrainer();
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('round.decline', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.payloads('round.decline')).toMatchObject([{ code: 'session/model-mismatch' }]);
    expect(trainer.tasks).toEqual([]);
    expect(trainer.evaluated).toEqual([]);
  });

  it('trains on no plan that does not follow from the manifest', async () => {
    const trainer = createToyTrainer();
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    coordinator.open({ ...job.plan(1), updateBits: 13 });
    await coordinator.answered('round.decline', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.payloads('round.decline')).toMatchObject([{ code: 'session/plan-mismatch' }]);
    expect(trainer.tasks).toEqual([]);
  });

  it.each([
    ['coordinator', { coordinator: `0x${'99'.repeat(20)}` as const }],
    ['chainId', { chainId: 1n }],
    ['anchor', { anchor: `0x${'98'.repeat(20)}` as const }],
    ['job', { job: `0x${'97'.repeat(32)}` as const }],
  ])('does not take part when the chain names another %s', async (field, changes) => {
    const facts = { ...coordinator.facts, ...changes };
    await expect(start(createToyTrainer(), { facts })).rejects.toMatchObject({
      code: 'session/chain-mismatch',
      data: { field },
    });
    expect(coordinator.payloads('session.open')).toEqual([]);
  });

  it.each(['fixedPlanHash', 'tensorTableRoot', 'genesisModelRoot'] as const)(
    'does not take part when the chain has another %s than the manifest',
    async (field) => {
      const facts = { ...coordinator.facts, [field]: `0x${'96'.repeat(32)}` };
      await expect(start(createToyTrainer(), { facts })).rejects.toMatchObject({
        code: 'session/manifest-mismatch',
        data: { field },
      });
      expect(coordinator.payloads('job.join')).toEqual([]);
    },
  );

  it('does not take part on a manifest that was altered', async () => {
    const { manifestBytes } = createToyJob(40, { name: 'altered' }).terms;
    coordinator.blobs.set(coordinator.facts.manifestHash, manifestBytes);
    await expect(start(createToyTrainer())).rejects.toMatchObject({
      code: 'session/manifest-mismatch',
      data: { field: 'manifestHash' },
    });
  });

  it('does not take part where it is not listed', async () => {
    const participation = { admission: [`0x${'01'.repeat(20)}`], expected: 1, quorum: 1, deadlineMs: 1000, retries: 0 };
    const closed = createToyJob(40, { participation });
    await coordinator.close();
    coordinator = await startScriptedCoordinator(closed.terms, closed.models);
    await expect(start(createToyTrainer())).rejects.toMatchObject({ code: 'session/not-listed' });
  });

  it('ends with the coordinator’s code when it is refused for good', async () => {
    coordinator.handlers['job.join'] = () => {
      throw new Refused('admission/full');
    };
    await expect(start(createToyTrainer())).rejects.toMatchObject({ code: 'admission/full' });
    expect(coordinator.payloads('job.join')).toHaveLength(3);
  });

  it('ends with the trainer’s error when its data cannot be used', async () => {
    const createTrainer = async () => {
      throw new TrainerError('trainer/bad-architecture', 'no such layer');
    };
    await expect(start(createToyTrainer(), { createTrainer })).rejects.toMatchObject({
      code: 'trainer/bad-architecture',
    });
  });

  it('stops at once when it was told to before it began', async () => {
    expect(await start(createToyTrainer(), { signal: AbortSignal.abort() })).toEqual({ kind: 'aborted' });
    expect(coordinator.requests).toEqual([]);
  });

  it('waits for a coordinator that is not there yet, until told to stop', async () => {
    const { url } = coordinator;
    await coordinator.close();
    const stop = new AbortController();
    const warned = deferred<void>();
    const running = start(createToyTrainer(), {
      coordinatorUrl: url,
      signal: stop.signal,
      log: { ...log, warn: () => warned.resolve() },
    });
    await warned.promise;
    stop.abort();
    expect(await running).toEqual({ kind: 'aborted' });
  });

  it('does not listen to where another job stands', async () => {
    const running = start(createToyTrainer());
    await coordinator.answered('job.join', 1);
    coordinator.say({ job: `0x${'95'.repeat(32)}`, phase: 'failed', reason: 'of another job' });
    coordinator.say({ job: job.terms.job, phase: 'failed', reason: 'of this job' });
    expect(await running).toEqual({ kind: 'failed', reason: 'of this job' });
  });
});
