import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion } from '../../../shared/aggregation/apportion.ts';

describe('apportion', () => {
  it('gives the largest remainders what is left, ties to the lowest index', () => {
    expect(apportion([1n, 1n, 1n], 2n)).toEqual([1n, 1n, 0n]);
    expect(apportion([5n, 5n, 5n], 10n)).toEqual([4n, 3n, 3n]);
    // Dues 4.70, 1.60, 1.58, 1.20, 0.61, 0.31: the textbook case of Hamilton's method, ten seats.
    expect(apportion([47_000n, 16_000n, 15_800n, 12_000n, 6_100n, 3_100n], 10n)).toEqual([5n, 2n, 1n, 1n, 1n, 0n]);
  });

  it('gives nobody anything when nobody has a share, and nothing of nothing', () => {
    expect(apportion([0n, 0n], 7n)).toEqual([0n, 0n]);
    expect(apportion([], 7n)).toEqual([]);
    expect(apportion([1n, 2n], 0n)).toEqual([0n, 0n]);
  });

  it('sums to the total, stays within one of each due, keeps order, and never pays a zero share', () => {
    const shares = fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: 1n << 90n })), {
      minLength: 1,
      maxLength: 12,
    });
    const total = fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 1n << 90n }));
    fc.assert(
      fc.property(shares, total, (all, whole) => {
        const sum = all.reduce((a, b) => a + b, 0n);
        const amounts = apportion(all, whole);
        expect(amounts.reduce((a, b) => a + b, 0n)).toBe(sum === 0n ? 0n : whole);
        for (const [i, share] of all.entries()) {
          const amount = amounts[i] as bigint;
          if (share === 0n) expect(amount).toBe(0n);
          const gap = amount * sum - share * whole;
          if (sum > 0n) expect(gap < sum && gap > -sum).toBe(true);
          for (const [j, other] of all.entries()) {
            if (share > other || (share === other && i < j)) expect(amount >= (amounts[j] as bigint)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses negative shares and totals', () => {
    const refusal = expect.objectContaining({ code: 'aggregation/negative-share' });
    expect(() => apportion([1n, -1n], 3n)).toThrow(refusal);
    expect(() => apportion([1n], -3n)).toThrow(refusal);
  });
});
