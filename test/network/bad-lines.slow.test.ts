import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import type { NetworkLimits } from '../../coordinator/limits/network-limits.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { deferred } from '../client/deferred.ts';
import { type TestJobChoices, WALLETS } from '../coordinator/fixture.ts';
import { until } from '../coordinator/runner-harness.ts';
import { startServer, type TestServer } from '../coordinator/server-harness.ts';
import { clientOf, takePart } from './clients.ts';
import { startProxy } from './tcp-proxy.ts';

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];
const OTHERS = [B, C, D];

/** Heartbeats short enough that a dead line is noticed within the test. */
const limits: Partial<NetworkLimits> = { heartbeatMs: 200, heartbeatTimeoutMs: 400, absenceMs: 50 };

function start(participation: NonNullable<TestJobChoices['participation']>): Promise<TestServer> {
  return startServer({ rounds: 2, participation }, { network: { limits }, now: Date.now });
}

/** Who was accepted in each round. */
function acceptedIn({ life }: TestServer): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const event of life.runner.history as JobEvent[]) {
    if (event.type !== 'updateAccepted') continue;
    counts[event.statement.round] = (counts[event.statement.round] ?? 0) + 1;
  }
  return counts;
}

/** No update was taken twice, no round was given up. */
function expectUndisturbed(server: TestServer, each: number): void {
  const { rounds } = server.world.job.terms.manifest;
  expect(server.life.runner.state).toMatchObject({ phase: 'closed', progress: { rounds } });
  expect(acceptedIn(server)).toEqual(Object.fromEntries(Array.from({ length: rounds }, (_, at) => [at + 1, each])));
  const refused = server.life.runner.history.filter(({ type }) => type === 'updateRefused');
  expect(refused).toEqual([]);
  expect(server.life.log.errors).toEqual([]);
}

describe('a client on a bad line', () => {
  it('that is slow: every round waits for it and counts it', async () => {
    const server = await start({ expected: 4, quorum: 3 });
    const proxy = await startProxy(server.url);
    proxy.delay(25);
    const [slow, others] = await Promise.all([
      takePart(server.world, proxy.url, [A]),
      takePart(server.world, server.url, OTHERS),
    ]);
    expect([...slow, ...others]).toEqual(Array(4).fill('closed'));
    expectUndisturbed(server, 4);
  });

  it.each([300, 1200, 3000])(
    'that breaks again and again after %i bytes: it takes part all the same',
    async (bytes) => {
      const server = await start({ expected: 4, quorum: 3 });
      const proxy = await startProxy(server.url);
      proxy.cutAfter(bytes, 5);
      const [lossy, others] = await Promise.all([
        takePart(server.world, proxy.url, [A]),
        takePart(server.world, server.url, OTHERS),
      ]);
      expect([...lossy, ...others]).toEqual(Array(4).fill('closed'));
      expectUndisturbed(server, 4);
      expect(proxy.accepted).toBeGreaterThan(2);
    },
  );

  it('that is cut in the middle of a round: it comes back and is counted once', async () => {
    const server = await start({ expected: 4, quorum: 3 });
    const proxy = await startProxy(server.url);
    const cutting = { beforeTraining: async () => proxy.cut() };
    const [cut, others] = await Promise.all([
      takePart(server.world, proxy.url, [A], cutting),
      takePart(server.world, server.url, OTHERS),
    ]);
    expect([...cut, ...others]).toEqual(Array(4).fill('closed'));
    expectUndisturbed(server, 4);
  });
});

describe('half-open', () => {
  it('connections are found out by their silence, and the client comes back by itself', async () => {
    const server = await start({ expected: 4, quorum: 3, deadlineMs: 3_600_000 });
    const proxy = await startProxy(server.url);
    const training = deferred<void>();
    const mayTrain = deferred<void>();
    let isFirst = true;
    const client = await clientOf(server.world, proxy.url, A, {
      requestTimeoutMs: 300,
      beforeTraining: async () => {
        if (!isFirst) return;
        isFirst = false;
        training.resolve();
        await mayTrain.promise;
      },
    });
    const running = client.run();
    const others = takePart(server.world, server.url, OTHERS);
    await training.promise;
    proxy.muteClient();
    // The coordinator hears nothing any more and hangs up; until then, the client believes that it is connected.
    await once(server.http, 'upgrade');
    mayTrain.resolve();
    expect([(await running).kind, ...(await others)]).toEqual(Array(4).fill('closed'));
    expectUndisturbed(server, 4);
  });
});

describe('partition', () => {
  it('that heals within a round: the update of the round arrives and counts', async () => {
    const server = await start({ expected: 4, quorum: 3, deadlineMs: 3_600_000 });
    const proxy = await startProxy(server.url);
    let isFirst = true;
    const client = await clientOf(server.world, proxy.url, A, {
      requestTimeoutMs: 500,
      beforeTraining: async () => {
        if (isFirst) proxy.partition();
        isFirst = false;
      },
    });
    const running = client.run();
    const others = takePart(server.world, server.url, OTHERS);
    await until(server.life, (state) => !state.progress.present.includes(A.address) && state.phase === 'collecting');
    proxy.heal();
    expect([(await running).kind, ...(await others)]).toEqual(Array(4).fill('closed'));
    expectUndisturbed(server, 4);
  });

  it('that never heals: all others finish, and nobody waits', async () => {
    const server = await start({ expected: 4, quorum: 3, deadlineMs: 500 });
    const proxy = await startProxy(server.url);
    const lifetime = new AbortController();
    const client = await clientOf(server.world, proxy.url, A, {
      requestTimeoutMs: 500,
      beforeTraining: async () => proxy.partition(),
      signal: lifetime.signal,
    });
    const running = client.run();
    expect(await takePart(server.world, server.url, OTHERS)).toEqual(['closed', 'closed', 'closed']);
    expectUndisturbed(server, 3);
    lifetime.abort();
    expect((await running).kind).toBe('aborted');
  });
});
