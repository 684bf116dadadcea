/**
 * 2^exponent, exactly. The language leaves the precision of `**` to the engine, so it is built from doublings, which
 * IEEE 754 makes exact.
 *
 * @param exponent - an integer from -100 to 100
 */
export function powerOfTwo(exponent: number): number {
  let power = 1;
  for (let step = 0; step < Math.abs(exponent); step++) power *= 2;
  return exponent < 0 ? 1 / power : power;
}
