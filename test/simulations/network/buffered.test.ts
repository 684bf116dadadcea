import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { rollCalls } from '../../../coordinator/round/roll-calls.ts';
import { createNetwork } from '../../../simulations/network/network.ts';
import type { RoundTraffic } from '../../../simulations/network/traffic.ts';
import { buffered, CALM, constant, facts, life, livedBy, ROUGH } from './settings.ts';

const from = ({ deliveries }: RoundTraffic): string[] =>
  deliveries.map(({ client, trainedFrom }) => `${client} of ${trainedFrom}`);
const stalenesses = (rounds: readonly RoundTraffic[]): number[] =>
  rounds.flatMap(({ round, deliveries }) => deliveries.map(({ trainedFrom }) => round - 1 - trainedFrom));

describe('a buffered network', () => {
  it('that takes an update of everybody is a synchronous one, and takes as long', () => {
    const about = facts(5, 6);
    const one = life(buffered({ size: 5, concurrency: 5 }, { ...CALM, coordinatorSeconds: 2 }), about);
    const other = life({ ...CALM, coordinatorSeconds: 2 }, about);
    expect(one.map(from)).toEqual(other.map(from));
    for (const [index, { openedAt, closedAt, endedAt, bytesUp, bytesDown }] of one.entries()) {
      const same = other[index] as RoundTraffic;
      expect(closedAt - openedAt).toBeCloseTo(same.closedAt - same.openedAt, 9);
      expect(endedAt - closedAt).toBeCloseTo(2, 9);
      expect({ bytesUp, bytesDown }).toEqual({ bytesUp: same.bytesUp, bytesDown: same.bytesDown });
    }
  });

  // No latency; 0.6 s to carry, and 1 s or 2.5 s of training.
  const TWO_SPEEDS = buffered({ size: 1, concurrency: 2, maxStaleness: 5 }, { ...CALM, latencySeconds: constant(0) });
  const twoSpeeds = facts(2, 6, { examplesPerClient: [100, 250] });

  it('takes updates as they come, of whichever models they are', () => {
    const rounds = life(TWO_SPEEDS, twoSpeeds);
    // The quick client needs 1.6 s, the slow one 3.1 s. At 3.1 s the quick one is sending its second to the round that the
    // slow one closes: it is late by 0.1 s, and sends it again, to the next one, in 0.4 s.
    expect(rounds.map(from)).toEqual([['0 of 0'], ['1 of 0'], ['0 of 1'], ['0 of 3'], ['1 of 2'], ['0 of 4']]);
    const times = [1.6, 3.1, 3.6, 5.2, 6.2, 6.8];
    expect(rounds.map(({ reoffered }) => reoffered)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(rounds.map(({ closedAt }) => closedAt)).toEqual(times.map((time) => expect.closeTo(time, 9)));
  });

  it('gives up what has become too old, and begins anew', () => {
    const impatient = buffered({ size: 1, concurrency: 2, maxStaleness: 0 }, TWO_SPEEDS);
    const rounds = life(impatient, twoSpeeds);
    // Whenever the quick one delivers the slow one begins again.
    expect(rounds.map(from)).toEqual([0, 1, 2, 3, 4, 5].map((model) => [`0 of ${model}`]));
    expect(rounds.slice(1).map(({ superseded, asked }) => [superseded, asked])).toEqual(
      rounds.slice(1).map(() => [1, 2]),
    );
  });

  it('offers what came too late to the next round', () => {
    // Both are done at once, and the coordinator is busy then.
    const spec = buffered({ size: 1, concurrency: 2 }, { ...CALM, coordinatorSeconds: 1 });
    const [first, second] = life(spec, facts(2, 2));
    expect(first && from(first)).toEqual(['0 of 0']);
    expect(second && from(second)).toEqual(['1 of 0']);
    expect(first).toMatchObject({ reoffered: 1, bytesUp: 200_000 });
    // It hears of the next round, and sends the update again: one message there, five and the update back.
    expect((second?.closedAt ?? 0) - (second?.openedAt ?? 0)).toBeCloseTo(6 * 0.05 + 0.4, 9);
  });

  it('lets everybody have a turn where fewer are at work than there are', () => {
    const events: JobEvent[] = [];
    const network = createNetwork(
      buffered({ size: 2, concurrency: 4 }, { ...CALM, secondsPerExample: ROUGH.secondsPerExample }),
      facts(20, 150),
      (event) => events.push(event),
    );
    const rounds = livedBy(network, 150);
    expect(new Set(rounds.flatMap(({ deliveries }) => deliveries.map(({ client }) => client))).size).toBe(20);
    let present = 0;
    for (const { type } of events) {
      present += type === 'participantJoined' ? 1 : type === 'participantLeft' ? -1 : 0;
      expect(present).toBeLessThanOrEqual(4);
    }
  });

  it('goes on when clients drop out, also where nobody could take their place', () => {
    for (const clients of [4, 12]) {
      const rounds = life(buffered({ size: 3, concurrency: 4 }, { ...ROUGH, dropout: 0.5 }), facts(clients, 30));
      expect(rounds).toHaveLength(30);
      expect(rounds.some(({ dropped }) => dropped > 0)).toBe(true);
    }
  });

  it('has a mean staleness of (concurrency - 1) / size where messages take no time', () => {
    // Each round makes all that are at work one round older, but for the one that took the place of its last deliverer.
    const spec = buffered(
      { size: 3, concurrency: 13, maxStaleness: 1000 },
      { ...ROUGH, latencySeconds: constant(0), coordinatorSeconds: 0, dropout: 0 },
    );
    const old = stalenesses(life(spec, facts(60, 800)));
    const mean = old.reduce((sum, one) => sum + one, 0) / old.length;
    // What is still at work at the end, at most 13 of at most 40 rounds each, is all that is missing from the sum.
    expect(Math.abs(mean - 12 / 3)).toBeLessThan(520 / old.length);
    expect(mean).toBeLessThan(4);
  });

  it('refuses what cannot be, by the name of the field', () => {
    expect(() => createNetwork(buffered({ size: 5 }), facts(9, 1))).toThrow(
      /network\.buffered\.size is 5: .* from 1 to 4/,
    );
    expect(() => createNetwork(buffered({ concurrency: 10 }), facts(9, 1))).toThrow(
      /network\.buffered\.concurrency is 10/,
    );
    expect(() => createNetwork(buffered({ maxStaleness: -1 }), facts(9, 1))).toThrow(/network\.buffered\.maxStaleness/);
    expect(() => createNetwork(buffered({}), facts(9, 1, { sampled: 3 }))).toThrow(/buffered rounds draw nobody/);
    expect(() => createNetwork(buffered({}, { ...CALM, dropout: 1 }), facts(9, 1))).toThrow(/network\.dropout is 1/);
  });
});

describe('any buffered network', () => {
  const networks = fc
    .record({
      clients: fc.integer({ min: 6, max: 12 }),
      concurrency: fc.integer({ min: 3, max: 6 }),
      size: fc.integer({ min: 1, max: 3 }),
      maxStaleness: fc.constantFrom(0, 1, 4, 100),
      coordinatorSeconds: fc.constantFrom(0, 0.3),
      dropout: fc.constantFrom(0, 0.2),
      seed: fc.nat(1000),
    })
    .map(({ clients, seed, coordinatorSeconds, dropout, ...mode }) => ({
      spec: buffered(mode, { ...ROUGH, coordinatorSeconds, dropout }),
      about: facts(clients, 10, { seed }),
    }));

  it('takes what it is to take, no older than it may be, and accounts for all work', () => {
    fc.assert(
      fc.property(networks, ({ spec, about }) => {
        const { mode } = spec;
        let before = 0;
        for (const round of life(spec, about)) {
          const { deliveries, superseded, dropped } = round;
          expect(round).toMatchObject({ attempts: 1, late: 0, discarded: 0 });
          expect(deliveries).toHaveLength(mode.size);
          expect(new Set(deliveries.map(({ client }) => client)).size).toBe(mode.size);
          expect(deliveries.length + superseded + dropped).toBe(round.asked);
          for (const staleness of stalenesses([round])) {
            expect(staleness).toBeGreaterThanOrEqual(0);
            expect(staleness).toBeLessThanOrEqual(mode.maxStaleness);
          }
          const times = [before, round.openedAt, round.closedAt, round.endedAt];
          expect(times).toEqual([...times].sort((a, b) => a - b));
          before = round.endedAt;
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is the same again for the same seed, and is what the roll calls of its log say', () => {
    fc.assert(
      fc.property(networks, ({ spec, about }) => {
        const events: JobEvent[] = [];
        const network = createNetwork(spec, about, (event) => events.push(event));
        const rounds = livedBy(network, about.rounds);
        expect(rounds).toEqual(life(spec, about));
        const { job, manifest, clientAt } = network.job;
        const accepted = rollCalls(job, manifest, events).map((call) => call.accepted.map(clientAt));
        expect(accepted).toEqual(rounds.map(({ deliveries }) => deliveries.map(({ client }) => client)));
        // Whoever is refused is late; nobody sends what no gate would take.
        for (const event of events) if (event.type === 'updateRefused') expect(event.receipt.verdict).toBe('late');
      }),
      { numRuns: 12 },
    );
  });
});
