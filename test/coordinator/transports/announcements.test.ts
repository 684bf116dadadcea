import { describe, expect, it } from 'vitest';
import { announceChanges } from '../../../coordinator/transports/announcements.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import { deferred } from '../../client/deferred.ts';
import { STRANGER, WALLETS } from '../fixture.ts';
import { collecting, createWorld, playToTheEnd, startLife, until } from '../runner-harness.ts';

describe('what participants are told', () => {
  it('is every state that a job comes to, each once, whatever number of events there were in it', async () => {
    const world = await createWorld();
    const life = await startLife(world);
    const told: JobStateMessage[] = [];
    announceChanges(
      { terms: world.job.terms, runner: life.runner },
      () => 1_700_000_000_000,
      (state) => told.push(state),
    );
    await playToTheEnd(life, world);
    const round = ['collecting', 'aggregating', 'anchoring'];
    expect(told.map(({ phase }) => phase)).toEqual([...round, ...round, ...round, 'closed']);
    expect(told.map((state) => state.plan?.round ?? null)).toEqual([1, null, null, 2, null, null, 3, null, null, null]);
    expect(told.at(-1)).toMatchObject({ round: 3, modelRoot: world.anchorings[2]?.modelRoot });
    expect(life.runner.history.length).toBe(22);
  });

  it('is also that a round has been given more time, and nothing after they have stopped to listen', async () => {
    let clockMs = 1_700_000_000_000;
    let recover: () => void = () => {};
    const world = await createWorld();
    const status = { state: 'available' } as const;
    const onRecovered = (listener: () => void) => {
      recover = listener;
      return () => {};
    };
    const life = await collecting(world, { now: () => clockMs, storage: { status, onRecovered } });
    const told: JobStateMessage[] = [];
    const heard = deferred<void>();
    const stop = announceChanges(
      { terms: world.job.terms, runner: life.runner },
      () => clockMs,
      (state) => {
        told.push(state);
        heard.resolve();
      },
    );
    clockMs += 5000;
    const decline = { ...life.plan, code: 'x', message: '' };
    // An answer of one participant, after which there is less time than before, is nothing to the others.
    await life.runner.decline({ participant: STRANGER.address, ...decline });
    expect(told).toEqual([]);
    recover();
    await heard.promise;
    expect(told).toMatchObject([{ phase: 'collecting', plan: life.plan, remainingMs: 60_000 }]);
    stop();
    for (const { address } of WALLETS) await life.runner.decline({ participant: address, ...decline });
    await until(life, ({ progress }) => progress.attempt > 0);
    expect(told).toHaveLength(1);
  });
});
