import { describe, expect, test } from 'vitest';
import { median, quantile } from '../../../simulations/bench/statistics.ts';

describe('quantiles', () => {
  test('are values that occurred, by the nearest rank', () => {
    const values = [50, 15, 40, 20, 35];
    expect([0.05, 0.3, 0.4, 0.5, 1].map((fraction) => quantile(values, fraction))).toEqual([15, 20, 20, 35, 50]);
  });

  test('leave the list in its order', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  test('the median of an even number is the lower middle one, and one outlier moves it no further', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
    expect(median([4, 1, 3, 2, 1e9])).toBe(3);
  });
});
