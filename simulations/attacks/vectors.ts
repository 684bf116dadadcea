/** Vectors of one length, in single or double precision. What is computed from them is in double precision. */
export type Vectors = readonly (Float32Array | Float64Array)[];

/** Their mean, summed in order; at least one. */
export function meanOf(vectors: Vectors): Float64Array {
  const mean = new Float64Array((vectors[0] as Float32Array).length);
  for (const vector of vectors) {
    for (let at = 0; at < mean.length; at += 1) mean[at] = (mean[at] as number) + (vector[at] as number);
  }
  for (let at = 0; at < mean.length; at += 1) mean[at] = (mean[at] as number) / vectors.length;
  return mean;
}

/**
 * Their standard deviation at each coordinate.
 *
 * @param divisor - what the sum of squares is divided by: `n` for those of the vectors themselves, `n - 1` for the estimate
 * of where they are drawn from, which of one vector alone is zero
 */
export function deviationOf(vectors: Vectors, mean: Float64Array, divisor: 'n' | 'n-1'): Float64Array {
  const squares = new Float64Array(mean.length);
  for (const vector of vectors) {
    for (let at = 0; at < squares.length; at += 1) {
      const off = (vector[at] as number) - (mean[at] as number);
      squares[at] = (squares[at] as number) + off * off;
    }
  }
  const count = divisor === 'n' ? vectors.length : Math.max(1, vectors.length - 1);
  for (let at = 0; at < squares.length; at += 1) squares[at] = Math.sqrt((squares[at] as number) / count);
  return squares;
}

/** `base + factor * direction`. */
export function stepFrom(base: Float64Array, factor: number, direction: Float64Array): Float64Array {
  return base.map((value, at) => value + factor * (direction[at] as number));
}

/** Sum of the squared differences. */
export function squaredDistance(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) {
    const off = (a[at] as number) - (b[at] as number);
    sum += off * off;
  }
  return sum;
}

/** Their inner product. */
export function innerProduct(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** The Euclidean length. */
export function lengthOf(vector: Float32Array | Float64Array): number {
  return Math.sqrt(innerProduct(vector, vector));
}

/** The same update from each of some attackers, in single precision as updates are. */
export function sameFromAll(update: Float32Array | Float64Array, attackers: number): Float32Array[] {
  const sent = new Float32Array(update);
  return Array.from({ length: attackers }, () => sent);
}
