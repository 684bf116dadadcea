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
  const numerator = 2 * a + b;
  const denominator = 2 * b;
  // A double quotient can round up across an integer, so the floor comes from the exact remainder instead.
  const remainder = numerator % denominator;
  return (numerator - (remainder < 0 ? remainder + denominator : remainder)) / denominator;
}

/** {@link roundDiv} for integers of any width. */
export function roundDivBig(a: bigint, b: bigint): bigint {
  const numerator = 2n * a + b;
  const denominator = 2n * b;
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}
