/** All numbers of some tensors, one tensor after the other. */
export function flatten(tensors: readonly Float32Array[]): Float32Array {
  const flat = new Float32Array(tensors.reduce((sum, values) => sum + values.length, 0));
  let at = 0;
  for (const values of tensors) {
    flat.set(values, at);
    at += values.length;
  }
  return flat;
}

/**
 * `a * tensors + b * flat`, number by number, each rounded to float32 once.
 *
 * @param tensors - one array a tensor
 * @param flat - as many numbers, in the same order
 */
export function weightedSum(
  a: number,
  tensors: readonly Float32Array[],
  b: number,
  flat: Float32Array,
): Float32Array[] {
  let start = 0;
  return tensors.map((values) => {
    const sum = new Float32Array(values.length);
    for (let at = 0; at < values.length; at++) sum[at] = a * (values[at] as number) + b * (flat[start + at] as number);
    start += values.length;
    return sum;
  });
}
