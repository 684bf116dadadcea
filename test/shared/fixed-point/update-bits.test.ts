import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextUpdateBits } from '../../../shared/fixed-point/update-bits.ts';

const bits = fc.integer({ min: 0, max: 30 });
const magnitude = fc.integer({ min: 0, max: 8191 });
/** An odd number of honest participants and fewer liars than half of all. */
const cohort = fc
  .array(fc.integer({ min: 1, max: 8191 }), { minLength: 1, maxLength: 20 })
  .chain((honest) =>
    fc.tuple(
      fc.constant(honest),
      fc.array(fc.oneof(magnitude, fc.constantFrom(0, 8191)), { maxLength: honest.length - 1 }),
    ),
  );

describe('nextUpdateBits', () => {
  it('stays within what the honest alone could ask for, whatever fewer than half say, in any order', () => {
    fc.assert(
      fc.property(bits, cohort, fc.boolean(), (current, [honest, liars], first) => {
        const all = first ? [...liars, ...honest] : [...honest, ...liars];
        const next = nextUpdateBits(current, all);
        const finest = nextUpdateBits(current, [Math.min(...honest)]);
        const coarsest = nextUpdateBits(current, [Math.max(...honest)]);
        expect(next).toBeLessThanOrEqual(finest);
        expect(next).toBeGreaterThanOrEqual(coarsest);
      }),
      { numRuns: 1000 },
    );
  });

  it('is the finest scale that leaves a factor of 2 above the median', () => {
    fc.assert(
      fc.property(bits, fc.integer({ min: 1, max: 8191 }), (current, median) => {
        const next = nextUpdateBits(current, [median]);
        const reach = (scale: number) => 2 * median * 2 ** (scale - current);
        expect(next).toBeGreaterThanOrEqual(0);
        expect(next).toBeLessThanOrEqual(30);
        if (next > 0) expect(reach(next)).toBeLessThanOrEqual(8191);
        if (next < 30) expect(reach(next + 1)).toBeGreaterThan(8191);
      }),
    );
  });

  it.each([
    [18, [], 18],
    [18, [0, 0, 0], 18],
    [18, [4095], 18],
    [18, [4096], 17],
    [18, [8191], 17],
    [18, [2047], 19],
    [18, [2048], 18],
    [0, [8191], 0],
    [30, [1], 30],
    [29, [1], 30],
    [10, [1, 4095, 8191], 10],
    [10, [8191, 1, 4095], 10],
    [10, [1000, 4096], 9],
  ])('from %i with %j goes to %i', (current, magnitudes, expected) => {
    expect(nextUpdateBits(current, magnitudes)).toBe(expected);
  });

  it('leaves its argument as it was', () => {
    const given = [3, 1, 2];
    nextUpdateBits(5, given);
    expect(given).toEqual([3, 1, 2]);
  });
});
