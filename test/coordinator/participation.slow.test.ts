import { describe, expect, it } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import { jobStateMessage } from '../../coordinator/job-state-message.ts';
import { rollCalls } from '../../coordinator/round/roll-calls.ts';
import { standingOf } from '../../coordinator/round/standing.ts';
import type { Collecting } from '../../coordinator/round/state.ts';
import type { Hex } from '../../shared/bytes.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import { parseJobState } from '../../shared/protocol/messages.ts';
import type { Pace } from '../../shared/round/participation.ts';
import { isSeedOf } from '../../shared/round/plan.ts';
import { isAsked, sampleCut } from '../../shared/round/sampling.ts';
import { WALLETS } from './fixture.ts';
import {
  collecting,
  contribute,
  createWorld,
  type Life,
  logOf,
  playToTheEnd,
  recompute,
  startLife,
  until,
  type World,
} from './runner-harness.ts';

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];
const PACE: Pace = { leastMs: 20, quantilePercent: 90, slackPercent: 300, window: 8, late: 'credited' };
/** Longer than any answer takes, whatever else the machine is busy with. */
const PATIENT: Pace = { ...PACE, leastMs: 60_000 };
const TRAINING_FAILED = { code: 'trainer/failed', message: 'out of memory' };

const opened = (life: Life, round: number) =>
  until(life, (state) => state.phase === 'collecting' && state.plan.round === round) as Promise<Collecting>;
const withAddress = (address: Hex) => WALLETS.find((wallet) => wallet.address === address) as Signer;

async function answerAll(life: Life, world: World, signers: readonly Signer[], state: Collecting): Promise<void> {
  for (const signer of signers) await contribute(life, world, signer, state);
}

describe('a round with a sample, in a real job', () => {
  it('asks who was drawn, refuses the others with a signed receipt, and can be drawn again from log and chain', async () => {
    const sample = { size: 3, extra: 0 };
    const world = await createWorld({ rounds: 4, participation: { sample } });
    const life = await collecting(world);
    const { seedCommitment } = world.job.terms.manifest;
    const left = new Set<Hex>();
    for (let round = 1; round <= 4; round++) {
      const state = await opened(life, round);
      const { draw, plan, expected, progress } = state;
      if (!draw) throw new Error('no draw');
      // What anyone can do: the seed is the one of the record before, the tickets are SHA-256.
      const before = world.anchorings[round - 2];
      expect(draw.seed).toBe(round === 1 ? seedCommitment : before?.seed);
      expect(isSeedOf(seedCommitment, draw.seedIndex, draw.seed)).toBe(true);
      expect(draw.cut).toBe(sampleCut(draw.seed, plan, progress.present, 3));
      const [outsider] = WALLETS.filter(({ address }) => !expected.includes(address)) as [Signer];
      left.add(outsider.address);
      expect(isAsked(parseJobState(jobStateMessage(plan.parentRoot, state, 0))?.draw, plan, outsider.address)).toBe(
        false,
      );
      expect(await contribute(life, world, outsider, state)).toMatchObject({
        verdict: 'rejected',
        code: 'gate/not-asked',
      });
      await answerAll(life, world, expected.map(withAddress), state);
    }
    expect((await until(life, ({ phase }) => phase === 'closed')).progress.present).toHaveLength(4);
    expect(world.anchorings.map(({ participants }) => participants)).toEqual([3, 3, 3, 3]);
    expect(left.size).toBeGreaterThan(1);
    // Whoever has the log and the manifest can hold every draw to them.
    const { job, manifest } = world.job.terms;
    const calls = rollCalls(job, manifest, await logOf(world));
    expect(calls).toHaveLength(4);
    for (const { round, attempt, present, asked, accepted, refused, draw } of calls) {
      const opening = { round, attempt };
      const again = { seedIndex: 0, seed: draw?.seed as Hex, cut: sampleCut(draw?.seed as Hex, opening, present, 3) };
      expect(asked).toEqual(present.filter((one) => isAsked(again, opening, one)));
      expect(accepted).toEqual(asked);
      expect(refused).toEqual([{ participant: expect.any(String), code: 'gate/not-asked' }]);
    }
  });

  it('closes with the k first of n: nobody waits for the last, and it is told that it is late', async () => {
    const world = await createWorld({ rounds: 2, participation: { sample: { size: 3, extra: 1 } } });
    const life = await collecting(world);
    const first = await opened(life, 1);
    await answerAll(life, world, [A, B, C], first);
    const second = await opened(life, 2);
    expect(second.expected).toEqual(WALLETS.map(({ address }) => address));
    expect(await contribute(life, world, D, first)).toMatchObject({ verdict: 'late' });
    await answerAll(life, world, [D, C, B], second);
    await until(life, ({ phase }) => phase === 'closed');
    expect(world.anchorings.map(({ participants }) => participants)).toEqual([3, 3]);
    expect(life.log.warnings).toEqual([]);
  });

  it('has the records of the round function over those it admitted, whatever it drew', async () => {
    const world = await createWorld({ participation: { sample: { size: 4, extra: 0 } } });
    await playToTheEnd(await startLife(world), world);
    expect(world.anchorings.map(recordToJson)).toEqual((await recompute(world.job)).map(recordToJson));
  });

  it('asks the same participants again after a crash', async () => {
    const world = await createWorld({ participation: { sample: { size: 3, extra: 0 }, pace: PACE } });
    const life = await collecting(world);
    const { draw, expected, plan } = life.runner.state as Collecting;
    await life.stop();
    const next = await startLife(world);
    expect(next.runner.state).toMatchObject({ phase: 'collecting', draw, expected, plan });
  });
});

describe('clients that come and go, in a real job', () => {
  it("a single site's hiccup does not abort the run: it fails, goes away, comes back, and is in the next round", async () => {
    const world = await createWorld({ rounds: 3, participation: { pace: PATIENT, retryPauseMs: 1000 } });
    const life = await collecting(world);
    const first = await opened(life, 1);
    await life.runner.decline({ participant: D.address, round: 1, attempt: 0, ...TRAINING_FAILED });
    await life.runner.leave(D.address);
    await answerAll(life, world, [A, B, C], first);
    await opened(life, 2);
    await life.runner.join(D.address);
    const second = life.runner.state as Collecting;
    expect(second.expected).toEqual([A, B, C].map(({ address }) => address));
    // It returns in the middle of a round that does not wait for it, and may answer all the same.
    expect(await contribute(life, world, D, second)).toMatchObject({ verdict: 'accepted' });
    await answerAll(life, world, [A, B, C], second);
    const third = await opened(life, 3);
    expect(third.expected).toContain(D.address);
    await answerAll(life, world, WALLETS, third);
    await until(life, ({ phase }) => phase === 'closed');
    expect(world.anchorings.map(({ participants }) => participants)).toEqual([3, 4, 4]);
    expect(life.log.warnings).toEqual([expect.stringContaining(`declined: ${D.address} (trainer/failed)`)]);
  });

  it('no round succeeds without its log saying who was missing', async () => {
    const world = await createWorld({ rounds: 1, participation: { deadlineMs: 1000 } });
    let clockMs = 0;
    const life = await collecting(world, { now: () => clockMs });
    await answerAll(life, world, [A, B, C], life.runner.state as Collecting);
    clockMs = 1000;
    await until(life, ({ phase }) => phase === 'closed');
    expect(life.log.warnings).toEqual([
      expect.stringMatching(new RegExp(`3 updates of 4 asked; missing: ${D.address}.*"phase":"aggregating"`)),
    ]);
  });

  it('when everyone declines at once the job pauses, and goes on by itself', async () => {
    const world = await createWorld({ rounds: 1, participation: { retryPauseMs: 30 } });
    const life = await collecting(world, { now: Date.now });
    for (const { address } of WALLETS) {
      await life.runner.decline({ participant: address, round: 1, attempt: 0, ...TRAINING_FAILED });
    }
    expect(life.runner.state).toMatchObject({ phase: 'open', progress: { attempt: 1 } });
    const again = await opened(life, 1);
    expect(again.plan.attempt).toBe(1);
    const log = await logOf(world);
    const ended = log.find(({ type }) => type === 'pauseEnded');
    const lastDecline = log.filter(({ type }) => type === 'roundDeclined').at(-1);
    expect((ended?.at ?? 0) - (lastDecline?.at ?? 0)).toBeGreaterThanOrEqual(30);
    await answerAll(life, world, WALLETS, again);
    await until(life, ({ phase }) => phase === 'closed');
  });

  it('a pause goes on after a crash', async () => {
    const world = await createWorld({ rounds: 1, participation: { retryPauseMs: 1000 } });
    let clockMs = 0;
    const life = await collecting(world, { now: () => clockMs });
    for (const { address } of WALLETS) {
      await life.runner.decline({ participant: address, round: 1, attempt: 0, ...TRAINING_FAILED });
    }
    await life.stop();
    clockMs = 999;
    const next = await startLife(world, { now: () => clockMs });
    expect(next.runner.state).toMatchObject({ phase: 'open', pausedUntil: 1000 });
    clockMs = 1000;
    expect((await opened(next, 1)).plan.attempt).toBe(1);
  });

  it('a late answer is credited: the next rounds wait as long as its sender needs', async () => {
    const world = await createWorld({ rounds: 3, participation: { deadlineMs: 10_000, pace: PACE } });
    let clockMs = 0;
    const life = await collecting(world, { now: () => clockMs });
    const first = await opened(life, 1);
    clockMs = 1000;
    await answerAll(life, world, [A, B, C], first);
    clockMs = 10_000;
    const second = await opened(life, 2);
    expect(second.expected).not.toContain(D.address);
    expect(second.wait?.lengthMs).toBe(3000);
    expect(await contribute(life, world, D, first)).toMatchObject({ verdict: 'late' });
    const { standings = {}, present } = life.runner.state.progress;
    expect(present).toContain(D.address);
    expect(standingOf(standings, D.address)).toEqual({ times: [10_000], misses: 0, missedAt: 0, owes: null });
    await answerAll(life, world, [A, B, C], second);
    const third = await opened(life, 3);
    expect(third).toMatchObject({ expected: expect.arrayContaining([D.address]), wait: { lengthMs: 10_000 } });
  });
});

describe('clocks that are wrong', () => {
  it.each([0, 1_700_000_000_000, -86_400_000, 8_000_000_000_000_000])(
    "clock skew: a client is told how long is left, never what time it is, so the coordinator's clock may stand at %i",
    async (startsAt) => {
      const world = await createWorld({ rounds: 2, participation: { pace: PACE, sample: { size: 4, extra: 0 } } });
      let clockMs = startsAt;
      const life = await collecting(world, { now: () => clockMs });
      clockMs += 1234;
      const message = jobStateMessage(world.job.terms.job, life.runner.state, clockMs);
      expect(parseJobState(message)).toMatchObject({ phase: 'collecting', remainingMs: 60_000 - 1234 });
      // Nothing else in it depends on the clock.
      const { remainingMs, ...rest } = message;
      const later = jobStateMessage(world.job.terms.job, life.runner.state, clockMs + 1000);
      expect(later).toEqual({ ...rest, remainingMs: (remainingMs ?? 0) - 1000 });
      expect((await playToTheEnd(life, world)).phase).toBe('closed');
      expect(world.anchorings.map(recordToJson)).toEqual((await recompute(world.job)).slice(0, 2).map(recordToJson));
    },
  );
});
