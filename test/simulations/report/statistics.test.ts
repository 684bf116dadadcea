import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadOf, studentQuantile } from '../../../simulations/report/statistics.ts';

describe("Student's quantile", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975.
  it.each([
    ...[
      [1, 12.706],
      [2, 4.303],
      [3, 3.182],
      [4, 2.776],
      [5, 2.571],
      [6, 2.447],
      [7, 2.365],
      [8, 2.306],
      [9, 2.262],
    ],
    ...[
      [10, 2.228],
      [19, 2.093],
      [20, 2.086],
      [29, 2.045],
      [30, 2.042],
      [60, 2.0],
      [99, 1.984],
      [100, 1.984],
    ],
  ] as [number, number][])('with %i degrees of freedom is the published %f', (freedom, published) => {
    expect(studentQuantile(freedom)).toBeCloseTo(published, 3);
  });

  it('falls towards that of the normal distribution', () => {
    expect(studentQuantile(10_000)).toBeCloseTo(1.96, 3);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (freedom) => {
        expect(studentQuantile(freedom + 1)).toBeLessThan(studentQuantile(freedom));
      }),
    );
  });
});

describe('the spread of some runs', () => {
  it('is mean, sample deviation and interval', () => {
    const { n, mean, sd, half } = spreadOf([0.8, 0.84, 0.82]);
    expect(n).toBe(3);
    expect(mean).toBeCloseTo(0.82, 12);
    expect(sd).toBeCloseTo(0.02, 12);
    // 4.303 · 0.02 / sqrt(3)
    expect(half).toBeCloseTo(0.04968, 4);
  });

  it('claims no deviation from one run, and nothing from none', () => {
    expect(spreadOf([0.5])).toEqual({ n: 1, mean: 0.5, sd: null, half: null });
    expect(spreadOf([])).toEqual({ n: 0, mean: null, sd: null, half: null });
  });
});
