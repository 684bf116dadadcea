import { dominantDirection } from './dominant-direction.ts';
import { centredGram } from './real-gram.ts';
import type { Matrix } from './rule.ts';

/** Projections `<x_i - mean, s>` on the vector s, of unit length, that the power method is to start from. */
export type StartOf = (centred: Matrix<number>, weights: readonly number[], step: number) => number[];

/** Starts the power method from the update that, weighted, lies farthest from the mean; ties by lowest index. */
export const startFromFarthest: StartOf = (centred, weights) => {
  let farthest = 0;
  let most = -1;
  for (const [i, row] of centred.entries()) {
    const spread = (weights[i] as number) * (row[i] as number);
    if (spread > most) {
      most = spread;
      farthest = i;
    }
  }
  const row = centred[farthest] as readonly number[];
  const length = Math.sqrt(Math.max(0, row[farthest] as number));
  return length > 0 ? row.map((inner) => inner / length) : row.map(() => 0);
};

/**
 * The filter of CAF on inner products in float64; see the rule for what it does and why it ends.
 *
 * @param gram - n x n, the largest entry of the order of one
 * @param iterations - of the power method
 * @param startOf - where the power method starts in each step
 * @returns n weights from 0 to 1, not all zero
 */
export function filterBySpectrum(gram: Matrix<number>, f: number, iterations: number, startOf: StartOf): number[] {
  const n = gram.length;
  let weights = gram.map(() => 1);
  let best = weights;
  let smallest = Number.POSITIVE_INFINITY;
  for (let step = 0; ; step += 1) {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (sum <= n - 2 * f) return best;
    const centred = centredGram(
      gram,
      weights.map((weight) => weight / sum),
    );
    const start = startOf(centred, weights, step);
    const { variance, projections } = dominantDirection(centred, weights, start, iterations);
    if (variance < smallest) {
      smallest = variance;
      best = weights;
    }
    const squares = projections.map((projection) => projection * projection);
    const measured = step < n ? squares : squares.filter((_, i) => (weights[i] as number) > 0);
    const largest = measured.reduce((most, square) => Math.max(square, most), 0);
    // Where nothing varies any more, nothing is left to filter.
    if (largest === 0) return best;
    weights = weights.map((weight, i) => (weight === 0 ? 0 : weight * (1 - (squares[i] as number) / largest)));
  }
}
