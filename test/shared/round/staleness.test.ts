import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hex } from '../../../shared/bytes.ts';
import { DISCOUNT_BITS, parentsAfter, stalenessDiscount, stalenessesOf } from '../../../shared/round/staleness.ts';

const root = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`;
const someone = (value: number): Hex => `0x${value.toString(16).padStart(40, '0')}`;

describe('the discount of an old update', () => {
  it('is what a table says that was worked out by hand', () => {
    // 2^20 / sqrt(1 + tau), to nearest: 2^20, 741455.2, 605396.0, 524288, 468937.5; at 15 and 99, 2^20 / 4 and 2^20 / 10.
    expect([0, 1, 2, 3, 4, 15, 99].map(stalenessDiscount)).toEqual([
      1_048_576, 741_455, 605_396, 524_288, 468_937, 262_144, 104_858,
    ]);
  });

  it('is the nearest integer, by integers: no other is closer', () => {
    fc.assert(
      fc.property(fc.nat(1000), (staleness) => {
        const discount = BigInt(stalenessDiscount(staleness));
        const square = 1n << BigInt(2 * DISCOUNT_BITS + 2);
        // |d - x| <= 1/2 with x = 2^20 / sqrt(1 + tau) is (2d - 1)^2 (1 + tau) <= 2^42 <= (2d + 1)^2 (1 + tau).
        const rounds = BigInt(1 + staleness);
        expect((2n * discount - 1n) ** 2n * rounds <= square).toBe(true);
        expect((2n * discount + 1n) ** 2n * rounds >= square).toBe(true);
      }),
    );
  });

  it.each([-1, 0.5, 1001, Number.NaN])('refuses %s, which is no number of rounds', (staleness) => {
    expect(() => stalenessDiscount(staleness)).toThrow(expect.objectContaining({ code: 'staleness/out-of-range' }));
  });
});

describe('how old an update is', () => {
  it('follows from the roots of the last rounds, the newest of equal ones', () => {
    const parents = [root(5), root(4), root(3), root(4)];
    const updates = [3, 5, 4].map((value) => ({ participant: someone(value), parentRoot: root(value) }));
    expect(stalenessesOf(parents, updates)).toEqual([2, 0, 1]);
  });

  it('is not told of one from another model, or from none: the sentence names whose it is', () => {
    for (const more of [{ parentRoot: root(9) }, {}]) {
      expect(() => stalenessesOf([root(1)], [{ participant: someone(7), ...more }])).toThrow(
        expect.objectContaining({ code: 'staleness/unknown-parent', message: expect.stringContaining(someone(7)) }),
      );
    }
  });

  it('is bounded: no more models are remembered than the rule lets an update be old', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.integer({ min: 1, max: 20 }), (maxStaleness, rounds) => {
        let parents: readonly Hex[] = [root(0)];
        for (let round = 1; round <= rounds; round++)
          parents = parentsAfter({ size: 1, maxStaleness }, root(round), parents);
        const remembered = Math.min(rounds, maxStaleness) + 1;
        expect(parents).toEqual(Array.from({ length: remembered }, (_, age) => root(rounds - age)));
      }),
    );
  });
});
