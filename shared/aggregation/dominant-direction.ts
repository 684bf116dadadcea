import type { Matrix } from './rule.ts';

/** Where weighted updates vary most about their mean. */
export interface DominantDirection {
  /** The variance along it as the power method sees it: zero when they do not vary at all. */
  readonly variance: number;
  /** Projections of every update's difference from the mean on it, unit length. */
  readonly projections: number[];
}

/**
 * Power method for the weighted covariance `sum_i c_i (x_i - m)(x_i - m)^T / sum_i c_i`, in matrix space: a vector
 * `u = sum_j c_j p_j (x_j - m)` is known by its projections `sum_j c_j p_j K_ij` and its squared length `sum_ij c_i p_i c_j
 * p_j K_ij`. Float64, summed in index order; O(n^2) an iteration.
 *
 * @param centred - K, inner products of the differences from the weighted mean
 * @param weights - c, non-negative, not all zero
 * @param start - projections of the differences on the first vector, of unit length
 * @param iterations - at least one
 */
export function dominantDirection(
  centred: Matrix<number>,
  weights: readonly number[],
  start: readonly number[],
  iterations: number,
): DominantDirection {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let projections = [...start];
  let variance = 0;
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    const pulls = projections.map((projection, i) => (projection * (weights[i] as number)) / sum);
    const next = centred.map((row) => row.reduce((total, inner, j) => total + inner * (pulls[j] as number), 0));
    const squared = next.reduce((total, value, i) => total + value * (pulls[i] as number), 0);
    if (!(squared > 0)) return { variance: 0, projections: centred.map(() => 0) };
    variance = Math.sqrt(squared);
    projections = next.map((value) => value / variance);
  }
  return { variance, projections };
}
