import { centredGram } from './real-gram.ts';
import type { Matrix } from './rule.ts';
import { isPositiveDefinite, largestEigenvalue } from './symmetric-matrix.ts';

/** Sets whose eigenvalues differ by less than this part count as equal: rounding is not to choose between them. */
const TOLERANCE = 1e-12;

/** n choose k, or infinity as soon as it is beyond a million. */
export function countSubsets(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, n - k); i += 1) {
    count = (count * (n - i + 1)) / i;
    if (count > 1_000_000) return Number.POSITIVE_INFINITY;
  }
  return count;
}

/**
 * The n - f positions whose covariance has the smallest largest eigenvalue; of several such sets the first in
 * lexicographic order.
 *
 * The covariance of a set has the eigenvalues of its centred Gram matrix K, but for a common factor. `t I - K` is positive
 * definite exactly when they are all below t, so most sets are refused by one factorization with t the best so far.
 *
 * @param gram - n x n inner products, the largest of the order of one
 * @returns positions in ascending order
 */
export function smallestVariance(gram: Matrix<number>, f: number): number[] {
  const size = gram.length - f;
  const mean = Array.from({ length: size }, () => 1 / size);
  let subset = mean.map((_, index) => index);
  let best = subset;
  let smallest = Number.POSITIVE_INFINITY;
  for (let next: number[] | null = subset; next !== null; next = nextSubset(subset, gram.length)) {
    subset = next;
    const centred = centredGram(
      subset.map((i) => subset.map((j) => gram[i]?.[j] as number)),
      mean,
    );
    if (smallest < Number.POSITIVE_INFINITY && !isBelow(centred, smallest * (1 - TOLERANCE))) continue;
    smallest = largestEigenvalue(centred);
    best = subset;
  }
  return best;
}

function isBelow(matrix: Matrix<number>, limit: number): boolean {
  return isPositiveDefinite(matrix.map((row, i) => row.map((value, j) => (i === j ? limit : 0) - value)));
}

/** The next set of as many positions below n in lexicographic order, null after the last. */
function nextSubset(subset: readonly number[], n: number): number[] | null {
  const size = subset.length;
  for (let at = size - 1; at >= 0; at -= 1) {
    const value = (subset[at] as number) + 1;
    if (value > n - size + at) continue;
    return [...subset.slice(0, at), ...Array.from({ length: size - at }, (_, offset) => value + offset)];
  }
  return null;
}
