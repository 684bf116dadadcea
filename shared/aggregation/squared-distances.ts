import type { Matrix } from './rule.ts';
import type { Scalar } from './scalar.ts';

/**
 * Squared Euclidean distances between all updates: `|x - y|^2 = <x,x> + <y,y> - 2<x,y>`.
 *
 * Exact over integers. Over float64 the subtraction loses about |x|^2 / |x - y|^2 units in the last place, and what
 * falls below zero by it counts as zero.
 *
 * @param gram - n x n inner products
 * @returns n x n, zeros on the diagonal
 */
export function squaredDistances<T>(gram: Matrix<T>, scalar: Scalar<T>): T[][] {
  const norms = gram.map((row, i) => row[i] as T);
  return gram.map((row, i) =>
    row.map((inner, j) => {
      const norm = scalar.add(norms[i] as T, norms[j] as T);
      const distance = scalar.sub(norm, scalar.add(inner, inner));
      return scalar.compare(distance, scalar.zero) < 0 ? scalar.zero : distance;
    }),
  );
}

/** Positions of the values from smallest to largest, equal ones by lowest position. */
export function rankAscending<T>(values: readonly T[], compare: (a: T, b: T) => number): number[] {
  return values.map((_, index) => index).sort((a, b) => compare(values[a] as T, values[b] as T) || a - b);
}
