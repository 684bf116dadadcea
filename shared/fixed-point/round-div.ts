/**
 * The one rounding of this product: to the nearest integer, halves upwards.
 *
 * `roundDiv(a, b) = floor((2a + b) / 2b)` for b > 0. Solidity's `/` truncates towards zero, so contracts spell the floor
 * out; tests hold all three implementations to the same vectors.
 *
 * @param a - an integer; 2a + b must stay below 2^53 in magnitude so that doubles are exact
 * @param b - a positive integer
 *
 * @example
 * ```ts
 * roundDiv(5, 2); // 3
 * roundDiv(-5, 2); // -2
 * ```
 */
export function roundDiv(a: number, b: number): number {
  // A quotient k - 1/2b just below an integer is never rounded up to it: the rounding error is at most k / 2^53, and
  // 2bk stays below 2^53.
  return Math.floor((2 * a + b) / (2 * b));
}

/** {@link roundDiv} for integers of any width. */
export function roundDivBig(a: bigint, b: bigint): bigint {
  const numerator = 2n * a + b;
  const denominator = 2n * b;
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}
