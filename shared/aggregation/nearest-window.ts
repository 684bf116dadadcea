/**
 * Where, in sorted values, the `count` values nearest a centre begin: they are always neighbours in the order. Of two
 * values equally far from the centre the smaller is taken, so that the outcome depends on values alone and never on who
 * sent them.
 *
 * `scale` and `centre` are given apart so that integers need no division: `values[i] * scale` is compared with `centre`.
 * Over integers every intermediate is exact while `2 * |value| * scale` stays below 2^53.
 *
 * @param values - n values, smallest first
 * @param count - how many are wanted, 1 to n
 * @returns index of the first of them
 */
export function nearestWindow(values: Float64Array, n: number, count: number, scale: number, centre: number): number {
  let start = 0;
  while (start + count < n) {
    const below = centre - (values[start] as number) * scale;
    const above = (values[start + count] as number) * scale - centre;
    if (above >= below) break;
    start += 1;
  }
  return start;
}

/** The sum of `count` values from `start` on, in their order. */
export function sumWindow(values: Float64Array, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i += 1) sum += values[i] as number;
  return sum;
}
