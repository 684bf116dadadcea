import { mixExactGram } from './mix-exact-gram.ts';
import type { Matrix, Mixing } from './rule.ts';
import type { Scalar } from './scalar.ts';

/** Inner products of the mixed updates times the square of the denominator: `M G M^T`. */
export function mixGram<T>(gram: Matrix<T>, mixing: Mixing, scalar: Scalar<T>): T[][] {
  // Exact numbers are bigints, and for those there is a faster way to the same integers.
  if (scalar.exact) return mixExactGram(gram as Matrix<bigint>, mixing) as T[][];
  const half = gram.map((row) => mixing.entries.map((entries) => weightedSum(row, entries, scalar)));
  return mixing.entries.map((entries) =>
    mixing.entries.map((_, j) =>
      weightedSum(
        half.map((row) => row[j] as T),
        entries,
        scalar,
      ),
    ),
  );
}

/** `sum_i entries[i] * values[i]`, in order, leaving out zero entries. */
export function weightedSum<T>(values: readonly T[], entries: readonly number[], scalar: Scalar<T>): T {
  let sum = scalar.zero;
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as number;
    if (entry === 0) continue;
    const value = values[index] as T;
    sum = scalar.add(sum, entry === 1 ? value : scalar.mul(scalar.fromInteger(entry), value));
  }
  return sum;
}
