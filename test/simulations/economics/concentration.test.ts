import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gini, nakamotoCoefficient } from '../../../simulations/economics/concentration.ts';

const holdings = fc.array(fc.bigInt(0n, 10n ** 24n), { minLength: 1, maxLength: 40 });
const positive = holdings.filter((all) => all.some((one) => one > 0n));

/** The definition: mean absolute difference of all ordered pairs, halved, over the mean. */
function giniByPairs(all: readonly bigint[]): number {
  const differences = all.flatMap((a) => all.map((b) => (a > b ? a - b : b - a))).reduce((sum, one) => sum + one, 0n);
  const sum = all.reduce((so, one) => so + one, 0n);
  return Number(differences) / (2 * all.length * Number(sum));
}

describe('the Gini coefficient', () => {
  it('is (n - 1) / 3n of 1, 2, …, n', () => {
    expect(gini([3n, 1n, 2n])).toBeCloseTo(2 / 9, 12);
    expect(gini([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n])).toBeCloseTo(0.3, 12);
  });

  it('is 1 - 1/n where one holds all, and nothing where nobody holds anything', () => {
    expect(gini([0n, 0n, 7n, 0n])).toBe(0.75);
    expect(gini([0n, 0n])).toBeNull();
    expect(gini([])).toBeNull();
  });

  it('is what its definition by pairs says', () => {
    fc.assert(
      fc.property(positive, (all) => {
        expect(gini(all)).toBeCloseTo(giniByPairs(all), 9);
      }),
    );
  });

  it('lies in [0, 1), and is 0 where all hold the same', () => {
    fc.assert(
      fc.property(positive, (all) => {
        expect(gini(all)).toBeGreaterThanOrEqual(0);
        expect(gini(all)).toBeLessThan(1);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 24n), fc.integer({ min: 1, max: 40 }), (one, n) => {
        expect(gini(Array.from({ length: n }, () => one))).toBe(0);
      }),
    );
  });

  it('knows no order and no unit', () => {
    fc.assert(
      fc.property(positive, fc.bigInt(1n, 1_000n), (all, unit) => {
        expect(gini([...all].reverse())).toBe(gini(all));
        expect(gini(all.map((one) => one * unit))).toBe(gini(all));
      }),
    );
  });
});

describe('the Nakamoto coefficient', () => {
  it('counts the fewest that hold more than half', () => {
    expect(nakamotoCoefficient([10n, 30n, 15n, 25n, 20n])).toBe(2);
    // 25 + 25 is half, not more than half.
    expect(nakamotoCoefficient([25n, 25n, 25n, 25n])).toBe(3);
    expect(nakamotoCoefficient([51n, 49n])).toBe(1);
    expect(nakamotoCoefficient([0n])).toBeNull();
  });

  it('lies between 1 and the number of clients, and is the majority where all hold the same', () => {
    fc.assert(
      fc.property(positive, (all) => {
        const n = nakamotoCoefficient(all) as number;
        expect(n).toBeGreaterThanOrEqual(1);
        expect(n).toBeLessThanOrEqual(Math.floor(all.length / 2) + 1);
        expect(nakamotoCoefficient([...all].reverse())).toBe(n);
        const largest = [...all].sort((a, b) => (a < b ? 1 : -1));
        const held = (count: number): bigint => largest.slice(0, count).reduce((so, one) => so + one, 0n);
        expect(2n * held(n)).toBeGreaterThan(held(all.length));
        expect(2n * held(n - 1)).toBeLessThanOrEqual(held(all.length));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 24n), fc.integer({ min: 1, max: 40 }), (one, n) => {
        expect(nakamotoCoefficient(Array.from({ length: n }, () => one))).toBe(Math.floor(n / 2) + 1);
      }),
    );
  });
});
