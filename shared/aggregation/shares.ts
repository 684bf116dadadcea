import type { Shares } from './rule.ts';
import type { Scalar } from './scalar.ts';

/**
 * The mean of some of n updates.
 *
 * @param selected - their positions, at least one, each once
 */
export function meanOf<T>(selected: readonly number[], n: number, scalar: Scalar<T>): Shares<T> {
  const shares = Array.from({ length: n }, () => scalar.zero);
  const one = scalar.fromInteger(1);
  for (const index of selected) shares[index] = one;
  return { shares, whole: scalar.fromInteger(selected.length) };
}

/**
 * A weighted mean by non-negative real weights, which need not sum to anything but must not all be zero.
 *
 * They are divided by the largest first, so that a share keeps 52 bits however small all of them are.
 */
export function weightedMean<T>(weights: readonly number[], scalar: Scalar<T>): Shares<T> {
  const largest = weights.reduce((most, weight) => Math.max(weight, most), 0);
  const shares = weights.map((weight) => scalar.fromReal(weight / largest));
  return { shares, whole: shares.reduce((sum, share) => scalar.add(sum, share), scalar.zero) };
}

/** A sum with non-negative real coefficients, 2^10 at most, which may sum to less or more than one. */
export function realSum<T>(coefficients: readonly number[], scalar: Scalar<T>): Shares<T> {
  return { shares: coefficients.map((coefficient) => scalar.fromReal(coefficient)), whole: scalar.fromReal(1) };
}
