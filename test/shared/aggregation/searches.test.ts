import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallestDiameter } from '../../../shared/aggregation/smallest-diameter.ts';
import { countSubsets } from '../../../shared/aggregation/smallest-variance.ts';
import { isPositiveDefinite, largestEigenvalue } from '../../../shared/aggregation/symmetric-matrix.ts';
import { coverWithin } from '../../../shared/aggregation/vertex-cover.ts';
import { createRng } from '../../../shared/rng.ts';
import { subsets } from './textbook.ts';

/** A symmetric matrix, zero on the diagonal. */
function symmetric<T>(n: number, zero: T, cell: fc.Arbitrary<T>): fc.Arbitrary<T[][]> {
  const count = (n * (n - 1)) / 2;
  return fc.array(cell, { minLength: count, maxLength: count }).map((cells) => {
    let at = 0;
    const matrix = Array.from({ length: n }, () => Array.from({ length: n }, () => zero));
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const value = cells[at] as T;
        (matrix[i] as T[])[j] = value;
        (matrix[j] as T[])[i] = value;
        at += 1;
      }
    }
    return matrix;
  });
}

const sizes = fc.integer({ min: 1, max: 10 });

describe('coverWithin', () => {
  it('knows exactly how many vertices touch all edges', () => {
    // Sparse graphs have the paths and cycles that are counted at once, dense ones the branches.
    const graphs = fc.tuple(sizes, fc.integer({ min: 1, max: 6 })).chain(([n, odds]) =>
      symmetric(
        n,
        false,
        fc.nat({ max: odds }).map((drawn) => drawn === 0),
      ),
    );
    fc.assert(
      fc.property(graphs, (edges) => {
        const n = edges.length;
        const covers = (set: readonly number[]) =>
          edges.every((row, i) => row.every((joined, j) => !joined || set.includes(i) || set.includes(j)));
        let least = 0;
        while (!subsets(n, least).some(covers)) least += 1;
        for (let budget = 0; budget <= n; budget += 1) expect(coverWithin(edges, budget)).toBe(budget >= least);
      }),
      { numRuns: 300 },
    );
  });
});

describe('smallestDiameter', () => {
  it('is the first of all sets with the smallest largest distance', () => {
    const cases = sizes.chain((n) =>
      fc.record({ f: fc.nat({ max: Math.ceil(n / 2) - 1 }), distances: symmetric(n, 0, fc.nat({ max: 9 })) }),
    );
    fc.assert(
      fc.property(cases, ({ f, distances }) => {
        const all = subsets(distances.length, distances.length - f);
        const diameters = all.map((set) =>
          Math.max(...set.flatMap((i) => set.map((j) => distances[i]?.[j] as number))),
        );
        const best = all[diameters.indexOf(Math.min(...diameters))];
        expect(smallestDiameter(distances, f, (a, b) => a - b)).toEqual(best);
      }),
      { numRuns: 500 },
    );
  });

  it('searches n = 60, f = 24 by more than brute force: 10^17 sets', () => {
    const rng = createRng(60);
    const points = Array.from({ length: 60 }, (_, i) => [rng.nextFloat() + (i % 5 < 2 ? 3 : 0), rng.nextFloat()]);
    const squared = points.map((a) =>
      points.map((b) => a.reduce((sum, x, at) => sum + (x - (b[at] as number)) ** 2, 0)),
    );
    const near = points.flatMap((_, i) => (i % 5 < 2 ? [] : [i]));
    expect(smallestDiameter(squared, 24, (a, b) => a - b)).toEqual(near);
  });
});

describe('countSubsets', () => {
  it('counts, and gives up beyond a million', () => {
    expect(countSubsets(5, 0)).toBe(1);
    expect(countSubsets(11, 2)).toBe(subsets(11, 9).length);
    expect(countSubsets(20, 5)).toBe(15504);
    expect(countSubsets(20, 15)).toBe(15504);
    expect(countSubsets(100, 50)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('symmetric matrices', () => {
  /** `R^T diag(values) R` for a rotation R made of turns in every plane: its eigenvalues are the values. */
  function withEigenvalues(values: readonly number[], seed: number): number[][] {
    const rng = createRng(seed);
    const n = values.length;
    let matrix = values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const t = rng.nextFloat() * 2 - 1;
        const c = (1 - t * t) / (1 + t * t);
        const s = (2 * t) / (1 + t * t);
        const turn = (row: readonly number[]) =>
          row.map((value, k) => {
            if (k === p) return c * value + s * (row[q] as number);
            return k === q ? c * value - s * (row[p] as number) : value;
          });
        const transposed = (m: readonly (readonly number[])[]) => m.map((_, i) => m.map((row) => row[i] as number));
        matrix = transposed(transposed(matrix.map(turn)).map(turn));
      }
    }
    return matrix;
  }

  it('have the eigenvalues they were made with', () => {
    const spectra = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(spectra, fc.nat(), (values, seed) => {
        const matrix = withEigenvalues(values, seed);
        expect(largestEigenvalue(matrix)).toBeCloseTo(Math.max(...values), 10);
        expect(isPositiveDefinite(matrix.map((row, i) => row.map((x, j) => x + (i === j ? 50.5 : 0))))).toBe(true);
        const least = Math.min(...values);
        const shifted = (by: number) => matrix.map((row, i) => row.map((x, j) => x - (i === j ? by : 0)));
        expect(isPositiveDefinite(shifted(least - 0.01))).toBe(true);
        expect(isPositiveDefinite(shifted(least + 0.01))).toBe(false);
      }),
    );
  });
});
