/**
 * The largest integer whose square is no more than a number: Newton's method from above, which only falls until it is there.
 *
 * @param value - not negative, of any width
 */
export function integerSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
