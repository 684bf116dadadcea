import { describe, expect, it } from 'vitest';
import type { Log } from '../../client/log.ts';
import { type ClientOptions, createClient } from '../../client/run.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { Hex } from '../../shared/bytes.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import { isSeedOf } from '../../shared/round/plan.ts';
import { stalenessDiscount } from '../../shared/round/staleness.ts';
import { deferred } from '../client/deferred.ts';
import { createToyTrainer, type ToyTrainer } from '../client/toy-job.ts';
import { COORDINATOR, DOMAIN, type TestJobChoices, temporaryFolder, WALLETS } from './fixture.ts';
import { startServer, type TestServer } from './server-harness.ts';

interface Told {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A client as organizations run it, but for its trainer, over real sockets. */
async function startClient(server: TestServer, signer: Signer, trainer: ToyTrainer, more: Partial<ClientOptions> = {}) {
  const { terms } = server.world.job;
  const warnings: Told[] = [];
  const warn = (fields: Told['fields'], message: string): void => void warnings.push({ fields, message });
  const log: Log = { debug: () => {}, info: () => {}, warn, error: warn };
  const client = createClient({
    coordinatorUrl: server.url,
    facts: {
      ...{ ...DOMAIN, job: terms.job, manifestHash: terms.job, fixedPlanHash: terms.fixedPlanHash },
      ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: terms.manifest.initialModelRoot },
      coordinator: COORDINATOR.address,
    },
    ...{ signer, createTrainer: async () => trainer, stateDir: await temporaryFolder(), seed: 7, log },
    pauses: { firstDelayMs: 1, mostDelayMs: 5 },
    ...more,
  });
  return { address: signer.address, trainer, warnings, outcome: client.run() };
}

/** The rounds of a job as they opened, each with whom it asked. */
function watchRounds({ life }: TestServer): Map<number, readonly Hex[]> {
  const rounds = new Map<number, readonly Hex[]>();
  life.runner.subscribe((_event, state) => {
    if (state.phase === 'collecting') rounds.set(state.plan.round, state.expected);
  });
  return rounds;
}

async function startJob(choices: TestJobChoices): Promise<TestServer> {
  return startServer(choices, { now: Date.now });
}

describe('real clients and a real coordinator', () => {
  it('of a job with samples: who is asked trains, who is not waits, and all see the end', async () => {
    const server = await startJob({ rounds: 4, participation: { sample: { size: 3, extra: 0 } } });
    const rounds = watchRounds(server);
    const clients = await Promise.all(WALLETS.map((signer) => startClient(server, signer, createToyTrainer())));
    for (const { outcome } of clients) expect(await outcome).toMatchObject({ kind: 'closed', rounds: 4 });
    for (const { address, trainer, warnings } of clients) {
      const asked = [...rounds].filter(([, expected]) => expected.includes(address)).length;
      expect(trainer.tasks).toHaveLength(asked);
      // Nobody was refused anything, and every draw was from a seed that the job had committed to.
      expect(warnings).toEqual([]);
    }
    expect([...rounds.values()].map((expected) => expected.length)).toEqual([3, 3, 3, 3]);
    for (const { seed, seedIndex, participants } of server.world.anchorings) {
      expect(isSeedOf(server.world.job.terms.manifest.seedCommitment, seedIndex, seed)).toBe(true);
      expect(participants).toBe(3);
    }
  });

  it('of a job that takes the first k of n: the last gives up its work, stays, and is asked in the next round', async () => {
    const server = await startJob({ rounds: 2, participation: { sample: { size: 3, extra: 1 } } });
    const [slow, ...quick] = WALLETS as [Signer, ...Signer[]];
    const gaveUp = deferred<void>();
    const slowTrainer = createToyTrainer(async (_task, signal) => {
      if (slowTrainer.tasks.length > 1) return;
      await new Promise<void>((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      gaveUp.resolve();
    });
    // The others leave the second round's first place to it.
    const second = deferred<void>();
    const events: JobEvent[] = [];
    server.life.runner.subscribe((event, state) => {
      events.push(event);
      if (event.type === 'updateAccepted' && event.participant === slow.address && state.progress.rounds === 1) {
        second.resolve();
      }
    });
    const quickTrainer = (): ToyTrainer => {
      const trainer: ToyTrainer = createToyTrainer(async () => {
        if (trainer.tasks.length > 1) await second.promise;
      });
      return trainer;
    };
    const clients = await Promise.all([
      startClient(server, slow, slowTrainer),
      ...quick.map((signer) => startClient(server, signer, quickTrainer())),
    ]);
    await gaveUp.promise;
    for (const { outcome } of clients) expect(await outcome).toMatchObject({ kind: 'closed', rounds: 2 });
    const accepted = events.flatMap((event) => (event.type === 'updateAccepted' ? [event] : []));
    expect(
      accepted.filter(({ statement }) => statement.round === 1).map(({ participant }) => participant),
    ).not.toContain(slow.address);
    expect(accepted.find(({ statement }) => statement.round === 2)?.participant).toBe(slow.address);
  });

  it('of a buffered job: the last goes on with its work, and the next round takes it, for what its age counts', async () => {
    const server = await startJob({
      rounds: 3,
      participation: { quorum: 2, buffer: { size: 3, maxStaleness: 1 } },
      rule: { rule: 'Average', f: 0 },
    });
    const [slow, ...quick] = WALLETS as [Signer, ...Signer[]];
    const second = deferred<void>();
    const delivered = deferred<void>();
    const events: JobEvent[] = [];
    server.life.runner.subscribe((event, state) => {
      events.push(event);
      if (state.phase === 'collecting' && state.plan.round === 2) second.resolve();
      if (event.type === 'updateAccepted' && event.participant === slow.address) delivered.resolve();
    });
    const signals: (AbortSignal | undefined)[] = [];
    const slowTrainer: ToyTrainer = createToyTrainer(async (_task, signal) => {
      signals.push(signal);
      if (slowTrainer.tasks.length === 1) await second.promise;
    });
    // The others leave a place in the second round to it.
    const quickTrainer = (): ToyTrainer => {
      const trainer: ToyTrainer = createToyTrainer(async () => {
        if (trainer.tasks.length > 1) await delivered.promise;
      });
      return trainer;
    };
    const clients = await Promise.all([
      startClient(server, slow, slowTrainer),
      ...quick.map((signer) => startClient(server, signer, quickTrainer())),
    ]);
    for (const { outcome } of clients) expect(await outcome).toMatchObject({ kind: 'closed', rounds: 3 });
    expect(signals[0]?.aborted).toBe(false);
    const { initialModelRoot } = server.world.job.terms.manifest;
    const accepted = events.flatMap((event) => (event.type === 'updateAccepted' ? [event] : []));
    expect(accepted.find(({ participant }) => participant === slow.address)?.statement).toMatchObject({
      ...{ round: 2, parentRoot: initialModelRoot },
    });
    const location = server.world.anchorings[1]?.location as Hex;
    const { contributions, weights } = decodeDocument((await server.world.blobs.get(location)) as Uint8Array);
    for (const [row, { participant, parentRoot }] of contributions.entries()) {
      const age = parentRoot === initialModelRoot ? 1 : 0;
      if (participant === slow.address) expect(age).toBe(1);
      const weight = (2 ** 30 * stalenessDiscount(age)) / 2 ** 20 / contributions.length;
      expect(Math.abs((weights?.[row] ?? 0) - weight)).toBeLessThanOrEqual(1);
    }
  });

  it('in which one site misses a deadline: it says that it is there, and is asked with the others in the next round', async () => {
    const server = await startJob({ rounds: 2, participation: { deadlineMs: 1500 } });
    const [slow, ...quick] = WALLETS as [Signer, ...Signer[]];
    const slowTrainer = createToyTrainer(async (_task, signal) => {
      if (slowTrainer.tasks.length > 1) return;
      await new Promise<void>((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    });
    // However quick the others and the chain are, they do not end the second round before it is back.
    const back = deferred<void>();
    server.life.runner.subscribe((event) => {
      if (event.type === 'updateAccepted' && event.participant === slow.address) back.resolve();
    });
    const quickTrainer = (): ToyTrainer => {
      const trainer: ToyTrainer = createToyTrainer(async () => {
        if (trainer.tasks.length > 1) await back.promise;
      });
      return trainer;
    };
    const clients = await Promise.all([
      startClient(server, slow, slowTrainer),
      ...quick.map((signer) => startClient(server, signer, quickTrainer())),
    ]);
    for (const { outcome } of clients) expect(await outcome).toMatchObject({ kind: 'closed', rounds: 2 });
    const events = server.life.runner.history;
    const missed = events.findIndex(({ type }) => type === 'deadlinePassed');
    const rejoined = events.findIndex(
      (event, at) => at > missed && event.type === 'participantJoined' && event.participant === slow.address,
    );
    expect(missed).toBeGreaterThan(0);
    expect(rejoined).toBeGreaterThan(missed);
    expect(server.life.log.warnings).toContainEqual(expect.stringContaining(`missing: ${slow.address}`));
    const last = events.findLast((event) => event.type === 'updateAccepted' && event.participant === slow.address);
    expect(last).toMatchObject({ statement: { round: 2 } });
  });
});
