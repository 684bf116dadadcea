import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { rollCalls } from '../../../coordinator/round/roll-calls.ts';
import { createNetwork } from '../../../simulations/network/network.ts';
import { CALM, constant, facts, life, livedBy, ROUGH, synchronous } from './settings.ts';

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

/** Eight messages, the model, a hundred examples, the update. */
const CALM_SECONDS = 8 * 0.05 + 200_000 / 1_000_000 + 100 * 0.01 + 100_000 / 250_000;

describe('a synchronous network where nothing differs and nothing goes wrong', () => {
  it('takes as long as by hand, and everybody delivers in every round', () => {
    const rounds = life({ ...CALM, coordinatorSeconds: 3 }, facts(7, 5));
    for (const [index, round] of rounds.entries()) {
      expect(round).toEqual({
        ...{ round: index + 1, closing: 'answered', attempts: 1, asked: 7 },
        ...{ discarded: 0, late: 0, superseded: 0, dropped: 0, reoffered: 0, bytesUp: 700_000, bytesDown: 1_400_000 },
        deliveries: Array.from({ length: 7 }, (_, client) => ({ client, trainedFrom: index })),
        openedAt: expect.closeTo(index * (CALM_SECONDS + 3), 9),
        closedAt: expect.closeTo(index * (CALM_SECONDS + 3) + CALM_SECONDS, 9),
        endedAt: expect.closeTo((index + 1) * (CALM_SECONDS + 3), 9),
      });
    }
  });

  it('waits for the client with the most examples', () => {
    const [first] = life(CALM, facts(3, 1, { examplesPerClient: [100, 400, 50] }));
    expect(first?.closedAt).toBeCloseTo(CALM_SECONDS + 3, 9);
  });

  it('takes an update that comes at the very instant of the deadline, and none a millisecond later', () => {
    const exact = synchronous(
      { deadlineSeconds: 1 },
      { ...CALM, latencySeconds: constant(0), secondsPerExample: constant(0.002) },
    );
    const about = facts(2, 1, { examplesPerClient: [100, 200], updateBytes: 100_000, modelBytes: 200_000 });
    // 0.2 s down, 0.4 s of training, 0.4 s up.
    const [round] = life(exact, about);
    expect(round).toMatchObject({ closing: 'answered', closedAt: 1, deliveries: [{ client: 0 }, { client: 1 }] });
    const [short] = life(synchronous({ deadlineSeconds: 0.999 }, exact), about);
    expect(short).toMatchObject({ closing: 'deadline', closedAt: 0.999, deliveries: [{ client: 0 }], late: 1 });
  });

  it('asks a sample, drawn anew each round, and closes with it', () => {
    const rounds = life(CALM, facts(40, 30, { sampled: 5 }));
    const asked = rounds.map(({ deliveries }) => deliveries.map(({ client }) => client));
    for (const clients of asked) expect(new Set(clients).size).toBe(5);
    expect(new Set(asked.flat()).size).toBeGreaterThan(35);
    expect(rounds[0]).toMatchObject({ asked: 5, closing: 'answered' });
  });

  it('asks more than a sample where that is wanted, and needs no more than it', () => {
    const spec = synchronous({ extra: 3 }, { ...CALM, latencySeconds: { kind: 'exponential', mean: 0.1 } });
    for (const round of life(spec, facts(40, 10, { sampled: 5 }))) {
      expect(round).toMatchObject({ asked: 8, closing: 'sample', dropped: 0 });
      expect(round.deliveries).toHaveLength(5);
      expect(round.late + round.superseded).toBe(3);
    }
  });
});

describe('a synchronous network where things go wrong', () => {
  it('closes at the deadline with those that are there', () => {
    const spec = synchronous(
      { quorum: 3, deadlineSeconds: 10 },
      { ...CALM, coordinatorSeconds: 5, straggler: { chance: 0.2, factor: 100 } },
    );
    const rounds = life(spec, facts(20, 20));
    expect(rounds.some(({ closing }) => closing === 'deadline')).toBe(true);
    for (const { closing, deliveries, openedAt, closedAt, superseded, asked } of rounds) {
      expect(closedAt - openedAt).toBeCloseTo(closing === 'deadline' ? 10 : CALM_SECONDS, 9);
      // Whoever gave up is back before the next round opens, and is asked again.
      expect({ asked, sum: deliveries.length + superseded }).toEqual({ asked: 20, sum: 20 });
    }
  });

  it('tries again below the quorum, and counts what was lost', () => {
    const spec = synchronous({ quorum: 6, deadlineSeconds: 5 }, { ...CALM, dropout: 0.45 });
    const rounds = life(spec, facts(10, 20));
    expect(rounds.some(({ attempts }) => attempts > 1)).toBe(true);
    for (const { attempts, deliveries, discarded, asked, dropped } of rounds) {
      expect(deliveries.length).toBeGreaterThanOrEqual(6);
      if (attempts === 1) expect(discarded).toBe(0);
      expect(asked).toBe(deliveries.length + discarded + dropped);
    }
  });

  it('is given up as the round machine gives it up, in its words', () => {
    const spec = synchronous({ quorum: 3, deadlineSeconds: 5, retries: 2 }, { ...CALM, dropout: 1 });
    const network = createNetwork(spec, facts(4, 2));
    expect(() => network.next()).toThrow(
      /round 1 closed with 0 updates where 3 are needed, and the job's 2 retries are spent/,
    );
    expect(codeOf(() => network.next())).toBe('network/job-failed');
  });

  it('has no more rounds than the run', () => {
    const network = createNetwork(CALM, facts(2, 1));
    network.next();
    expect(codeOf(() => network.next())).toBe('network/no-more-rounds');
  });

  it('gives deadlines that follow participants where there is a pace', () => {
    const pace = { leastSeconds: 1, quantilePercent: 100, slackPercent: 200, window: 4, late: 'credited' } as const;
    const spec = synchronous({ quorum: 1, pace }, { ...CALM, dropout: 0.1 });
    const rounds = life(spec, facts(10, 12));
    const lengths = rounds
      .filter(({ closing }) => closing === 'deadline')
      .map((round) => round.closedAt - round.openedAt);
    // An hour for those who are not known yet, or were silent last; twice what they took for all others.
    expect(lengths).toContainEqual(expect.closeTo(3600, 6));
    expect(rounds.some(({ closing }) => closing === 'answered')).toBe(true);
  });

  it('refuses what cannot be, by the name of the field', () => {
    const refusals = [
      [{ ...CALM, dropout: 1.5 }, facts(4, 1), /network\.dropout is 1\.5/],
      [{ ...CALM, upBytesPerSecond: constant(0) }, facts(4, 1), /network\.upBytesPerSecond\.value/],
      [synchronous({ quorum: 5 }), facts(4, 1), /network\.synchronous\.quorum is 5: give a whole number from 1 to 4/],
      [synchronous({ quorum: 3 }), facts(4, 1, { sampled: 2 }), /quorum is 3: give a whole number from 1 to 2/],
      [synchronous({ extra: 1 }), facts(4, 1), /network\.synchronous\.extra is 1, but all are asked/],
      [synchronous({ extra: 3 }), facts(4, 1, { sampled: 2 }), /extra is 3: give a whole number from 0 to 2/],
      [synchronous({ deadlineSeconds: 0 }), facts(4, 1), /network\.synchronous\.deadlineSeconds/],
      [{ ...CALM, straggler: { chance: 0.1, factor: 0 } }, facts(4, 1), /network\.straggler\.factor/],
    ] as const;
    for (const [spec, about, sentence] of refusals) {
      expect(() => createNetwork(spec, about)).toThrow(sentence);
      expect(codeOf(() => createNetwork(spec, about))).toBe('network/bad-setting');
    }
  });
});

describe('any synchronous network', () => {
  const spec = fc
    .record({
      quorum: fc.integer({ min: 1, max: 4 }),
      deadlineSeconds: fc.constantFrom(4, 8, 60),
      coordinatorSeconds: fc.constantFrom(0, 0.05, 1),
      dropout: fc.constantFrom(0, 0.1, 0.3),
      latency: fc.constantFrom(0, 0.1),
      isPaced: fc.boolean(),
    })
    .map(({ quorum, deadlineSeconds, coordinatorSeconds, dropout, latency, isPaced }) => ({
      ...synchronous(
        {
          ...{ quorum, deadlineSeconds, retries: 20 },
          ...(isPaced && {
            pace: { leastSeconds: 1, quantilePercent: 90, slackPercent: 150, window: 3, late: 'credited' as const },
          }),
        },
        ROUGH,
      ),
      ...{ coordinatorSeconds, dropout },
      latencySeconds: latency === 0 ? constant(0) : { kind: 'exponential' as const, mean: latency },
    }));
  const about = fc
    .record({ seed: fc.nat(1000), sampled: fc.constantFrom(null, 4, 6) })
    .map(({ seed, sampled }) => facts(9, 8, { seed, sampled }));
  const networks = fc
    .tuple(fc.integer({ min: 0, max: 3 }), spec, about)
    .map(
      ([extra, one, other]) =>
        [other.sampled === null ? one : synchronous({ ...one.mode, extra }, one), other] as const,
    );

  it('accounts for everybody it asks, delivers nothing twice, and never goes back in time', () => {
    fc.assert(
      fc.property(networks, ([one, other]) => {
        let before = 0;
        for (const round of life(one, other)) {
          const { deliveries, discarded, late, superseded, dropped } = round;
          expect(deliveries.length + discarded + late + superseded + dropped).toBe(round.asked);
          expect(new Set(deliveries.map(({ client }) => client)).size).toBe(deliveries.length);
          expect(round.bytesUp).toBeGreaterThanOrEqual((deliveries.length + discarded) * other.updateBytes);
          expect(round.bytesUp).toBeLessThanOrEqual((deliveries.length + discarded + late) * other.updateBytes);
          expect(round.bytesDown).toBeLessThanOrEqual(round.asked * other.modelBytes);
          expect([before, round.openedAt, round.closedAt, round.endedAt]).toEqual(
            [before, round.openedAt, round.closedAt, round.endedAt].sort((a, b) => a - b),
          );
          before = round.endedAt;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is the same again for the same seed, and another for another', () => {
    fc.assert(
      fc.property(networks, ([one, other]) => {
        const lives = [other, other, { ...other, seed: other.seed + 1 }].map((each) => life(one, each));
        expect(lives[1]).toEqual(lives[0]);
        expect(lives[2]).not.toEqual(lives[0]);
      }),
      { numRuns: 15 },
    );
  });

  it('is what the roll calls of its log say, by the coordinator’s own account', () => {
    fc.assert(
      fc.property(networks, ([one, other]) => {
        const events: JobEvent[] = [];
        const network = createNetwork(one, other, (event) => events.push(event));
        const rounds = livedBy(network, other.rounds);
        const { job, manifest, clientAt } = network.job;
        const calls = rollCalls(job, manifest, events);
        for (const round of rounds) {
          const attempts = calls.filter((call) => call.round === round.round);
          const last = attempts.at(-1);
          expect(attempts).toHaveLength(round.attempts);
          expect(round.deliveries.map(({ client }) => client)).toEqual(last?.accepted.map(clientAt));
          expect(round).toMatchObject({
            closing: last?.closing,
            openedAt: (attempts[0]?.openedAt ?? Number.NaN) / 1000,
            closedAt: (last?.closedAt ?? Number.NaN) / 1000,
          });
          // Those it waited for and those that came by themselves.
          const missing = attempts.reduce((sum, call) => sum + call.missing.length, 0);
          expect(round.late + round.superseded + round.dropped).toBeGreaterThanOrEqual(missing);
        }
        const times = events.map(({ at }) => at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });
});
