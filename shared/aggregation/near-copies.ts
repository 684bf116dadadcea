import type { Matrix } from './rule.ts';

/** Squared sine of the angle up to which two updates are one and the same, as its inverse: an angle of 3.6 degrees. */
const INVERSE_SQUARED_SINE = 256n;

/**
 * Whether one update is a near-copy of another, whatever its length: `<x, y> > 0` and
 * `256 <x, y>^2 >= 255 <x, x> <y, y>`, an angle whose sine is at most 1/16 (a cosine of 0.998 or more).
 *
 * Exact. Products stay below 2^132 for updates of 2^36 coordinates, so int256 holds them.
 *
 * @param gram - exact inner products
 */
export function isNearCopy(gram: Matrix<bigint>, i: number, j: number): boolean {
  const inner = gram[i]?.[j] as bigint;
  const norms = (gram[i]?.[i] as bigint) * (gram[j]?.[j] as bigint);
  return inner > 0n && INVERSE_SQUARED_SINE * inner * inner >= (INVERSE_SQUARED_SINE - 1n) * norms;
}

/**
 * Divides each score by the number of near-copies of its update that score as well, itself among them, rounding down: what
 * one update is worth is paid once, however many send it.
 *
 * It is divided equally, not given to the first: an order by address can be had by searching for a low one, and an order of
 * arrival is nothing that a round may depend on. Where more than half of all updates are near-copies of one another nothing
 * is divided: agreement is then what honest clients show, for so many cannot be one party's without owning the federation,
 * and whoever disagrees must not gain by their number.
 *
 * @param gram - exact inner products of at least the n updates, in their order
 * @param scores - n scores, not negative
 */
export function payCopiesOnce(gram: Matrix<bigint>, scores: readonly bigint[]): bigint[] {
  return scores.map((score, i) => {
    if (score === 0n) return 0n;
    const copies = scores.filter((other, j) => other > 0n && (i === j || isNearCopy(gram, i, j))).length;
    return 2 * copies > scores.length ? score : score / BigInt(copies);
  });
}
