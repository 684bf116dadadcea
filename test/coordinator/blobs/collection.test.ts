import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectUpdates } from '../../../coordinator/blobs/collector.ts';
import { lastExpired, planCollection } from '../../../coordinator/blobs/plan-collection.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { createQuietLog, hash } from '../fixture.ts';

const accepted = (round: number, root: Hex, attempt = 0): JobEvent =>
  ({ type: 'updateAccepted', statement: { round, attempt, updateRoot: root } }) as unknown as JobEvent;
const aggregated = (round: number, modelRoot = hash(`model ${round}`)): JobEvent =>
  ({
    type: 'roundAggregated',
    record: { round, modelRoot, aggregateRoot: hash(`aggregate ${round}`), location: hash(`document ${round}`) },
  }) as unknown as JobEvent;
const anchored = (round: number): JobEvent => ({ type: 'roundAnchored', round }) as unknown as JobEvent;

/** A log of so many anchored rounds and one that is open; each round's updates are drawn from few roots, so some repeat. */
const logs = fc
  .array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  .map((rounds) => {
    const events: JobEvent[] = [];
    const uses: [round: number, root: Hex][] = [];
    for (const [index, updates] of rounds.entries()) {
      const round = index + 1;
      for (const [attempt, update] of updates.entries()) {
        uses.push([round, hash(`update ${update}`)]);
        events.push(accepted(round, hash(`update ${update}`), attempt));
      }
      if (round < rounds.length) events.push(aggregated(round), anchored(round));
    }
    return { events, uses, anchoredRounds: rounds.length - 1 };
  });

describe('the plan of a collection', () => {
  it('has every update whose rounds are all past their retention, and no other', () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 0, max: 8 }), ({ events, uses, anchoredRounds }, expiredThrough) => {
        const through = Math.min(expiredThrough, anchoredRounds);
        const roots = [...new Set(uses.map(([, root]) => root))];
        const unneeded = roots.filter((root) => uses.every(([round, used]) => used !== root || round <= through));
        expect(planCollection(events, expiredThrough)).toEqual(unneeded);
      }),
    );
  });

  it('never has an update of a round that is not anchored, whatever is said to be final', () => {
    const events = [accepted(1, hash('a')), aggregated(1), anchored(1), accepted(2, hash('b')), aggregated(2)];
    expect(planCollection(events, 99)).toEqual([hash('a')]);
  });

  it('keeps models, aggregates, documents, and what came of an attempt that was given up goes with its round', () => {
    const events = [accepted(1, hash('given up'), 0), accepted(1, hash('a'), 1), aggregated(1), anchored(1)];
    expect(planCollection(events, 0)).toEqual([]);
    expect(planCollection(events, 1)).toEqual([hash('given up'), hash('a')]);
    // Nobody could make an update with the root of a model; if somebody did, the model stays.
    expect(planCollection([accepted(1, hash('m')), aggregated(1, hash('m')), anchored(1)], 1)).toEqual([]);
  });
});

describe('the last expired round', () => {
  it('is found by halving, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.nat(200), async (a, b) => {
        const [expired, rounds] = [Math.min(a, b), Math.max(a, b)];
        let asked = 0;
        const found = await lastExpired(rounds, async (round) => {
          asked++;
          return round <= expired;
        });
        expect(found).toBe(expired);
        expect(asked).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe('a collection', () => {
  const history = [1, 2, 3].flatMap((round) => [
    accepted(round, hash(`u${round}`)),
    aggregated(round),
    anchored(round),
  ]);
  /** Round r is final at 100 r by the chain's clock; the ring holds the last `ringSize`. */
  const chain = (nowS: number, ringSize = 256, limit = 0xff_ffff) => ({
    facts: async () => ({ ringSize }) as never,
    chainTimeS: async () => nowS,
    progress: async () => ({ attested: 0, heldFrom: 0, limit }),
    finality: async (round: number) =>
      round > 3 - ringSize ? { anchored: true, finalAtS: 100 * round } : { anchored: false, finalAtS: 0 },
  });
  const store = (roots: Hex[]) => {
    const there = new Set(roots);
    return {
      there,
      blobs: {
        size: async (id: Hex) => (there.has(id) ? 10 : undefined),
        remove: async (id: Hex) => void there.delete(id),
      },
    };
  };
  const roots = ['u1', 'u2', 'u3'].map(hash);

  it.each([
    [149, 256, []],
    [150, 256, [1]],
    [250, 256, [1, 2]],
    [1000, 256, [1, 2, 3]],
    // The ring has forgotten round 1: it goes with the oldest one that the ring still holds.
    [150, 2, []],
    [250, 2, [1, 2]],
  ])('at %i s with a ring of %i drops the updates of rounds %j', async (nowS, ringSize, dropped) => {
    const { there, blobs } = store(roots);
    const log = createQuietLog();
    const options = { history, blobs, ledger: chain(nowS, ringSize), retentionS: 50, log };
    expect(await collectUpdates(options)).toBe(dropped.length);
    expect([...there]).toEqual(roots.filter((_, index) => !dropped.includes((index + 1) as never)));
    expect(await collectUpdates(options)).toBe(0);
  });

  it.each([
    [0, []],
    [1, [1]],
    [2, [1, 2]],
  ])('drops nothing beyond round %i, the last that disputes and attestations let be final', async (limit, dropped) => {
    const { there, blobs } = store(roots);
    const options = { history, blobs, ledger: chain(1000, 256, limit), retentionS: 50, log: createQuietLog() };
    expect(await collectUpdates(options)).toBe(dropped.length);
    expect([...there]).toEqual(roots.slice(dropped.length));
  });

  it('keeps updates of rounds that were rewound until their rounds are final again', async () => {
    const { there, blobs } = store(roots);
    const log = createQuietLog();
    const taken = { type: 'roundsRewound', at: 0, firstRound: 2, lastRound: 3, minAttempt: 1 } as const;
    const to = { modelRoot: hash('m'), updateBits: 12, location: null };
    const options = { history: [...history, { ...taken, to }], blobs, ledger: chain(1000), retentionS: 50, log };
    expect(await collectUpdates(options)).toBe(1);
    expect([...there]).toEqual(roots.slice(1));
  });

  it('goes on where a crash broke it off', async () => {
    const { there, blobs } = store(roots);
    let removed = 0;
    const breaking = {
      ...blobs,
      remove: async (id: Hex) => {
        if (removed++ === 1) throw new Error('crash');
        await blobs.remove(id);
      },
    };
    const options = { history, ledger: chain(1000), retentionS: 50, log: createQuietLog() };
    await expect(collectUpdates({ ...options, blobs: breaking })).rejects.toThrow('crash');
    expect(there.size).toBe(2);
    expect(await collectUpdates({ ...options, blobs })).toBe(2);
    expect(there.size).toBe(0);
  });
});
