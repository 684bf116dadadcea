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
 * Tensors made number by number from those of one list and the numbers of a flat one.
 *
 * @param tensors - what there is
 * @param flat - as many numbers, in the same order
 * @param combine - of one number of each
 */
export function combine(
  tensors: readonly Float32Array[],
  flat: Float32Array,
  combine: (value: number, other: number) => number,
): Float32Array[] {
  let start = 0;
  return tensors.map((values) => {
    const offset = start;
    start += values.length;
    return values.map((value, at) => combine(value, flat[offset + at] as number));
  });
}
