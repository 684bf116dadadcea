/** Vectors of one length, in single or double precision. What is computed from them is in double precision. */
export type Vectors = readonly Vector[];

/** One of them. */
type Vector = Float32Array | Float64Array;

/** Vectors that one walk over the coordinates takes in: a sum is then read and written once for several. */
const AT_ONCE = 4;

/** Their mean, summed in order; at least one. */
export function meanOf(vectors: Vectors): Float64Array {
  const sum = new Float64Array((vectors[0] as Vector).length);
  let i = 0;
  for (; i + AT_ONCE <= vectors.length; i += AT_ONCE) {
    const [a, b, c, d] = vectors.slice(i, i + AT_ONCE) as [Vector, Vector, Vector, Vector];
    for (let at = 0; at < sum.length; at += 1) {
      sum[at] = (sum[at] as number) + (a[at] as number) + (b[at] as number) + (c[at] as number) + (d[at] as number);
    }
  }
  for (; i < vectors.length; i += 1) {
    const a = vectors[i] as Vector;
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) + (a[at] as number);
  }
  for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) / vectors.length;
  return sum;
}

/**
 * Their standard deviation at each coordinate.
 *
 * @param divisor - what the sum of squares is divided by: `n` for those of the vectors themselves, `n - 1` for the estimate
 * of where they are drawn from, which of one vector alone is zero
 */
export function deviationOf(vectors: Vectors, mean: Float64Array, divisor: 'n' | 'n-1'): Float64Array {
  const squares = new Float64Array(mean.length);
  let i = 0;
  for (; i + AT_ONCE <= vectors.length; i += AT_ONCE) {
    const [a, b, c, d] = vectors.slice(i, i + AT_ONCE) as [Vector, Vector, Vector, Vector];
    for (let at = 0; at < squares.length; at += 1) {
      const centre = mean[at] as number;
      const offA = (a[at] as number) - centre;
      const offB = (b[at] as number) - centre;
      const offC = (c[at] as number) - centre;
      const offD = (d[at] as number) - centre;
      squares[at] = (squares[at] as number) + offA * offA + offB * offB + offC * offC + offD * offD;
    }
  }
  for (; i < vectors.length; i += 1) {
    const a = vectors[i] as Vector;
    for (let at = 0; at < squares.length; at += 1) {
      const off = (a[at] as number) - (mean[at] as number);
      squares[at] = (squares[at] as number) + off * off;
    }
  }
  const count = divisor === 'n' ? vectors.length : Math.max(1, vectors.length - 1);
  for (let at = 0; at < squares.length; at += 1) squares[at] = Math.sqrt((squares[at] as number) / count);
  return squares;
}

/** `factor * vector`. */
export function scaled(vector: Float64Array, factor: number): Float64Array {
  const product = new Float64Array(vector.length);
  for (let at = 0; at < product.length; at += 1) product[at] = factor * (vector[at] as number);
  return product;
}

/** `base + factor * direction`. */
export function stepFrom(base: Float64Array, factor: number, direction: Float64Array): Float64Array {
  const end = new Float64Array(base.length);
  for (let at = 0; at < end.length; at += 1) end[at] = (base[at] as number) + factor * (direction[at] as number);
  return end;
}

/** Sum of the squared differences. */
export function squaredDistance(a: Vector, b: Vector): number {
  // Two sums, of the even and of the odd coordinates: one would wait for each addition before the next.
  let even = 0;
  let odd = 0;
  const pairs = a.length - (a.length % 2);
  for (let at = 0; at < pairs; at += 2) {
    const off = (a[at] as number) - (b[at] as number);
    const next = (a[at + 1] as number) - (b[at + 1] as number);
    even += off * off;
    odd += next * next;
  }
  const last = pairs < a.length ? (a[pairs] as number) - (b[pairs] as number) : 0;
  return even + odd + last * last;
}

/** Their inner product. */
export function innerProduct(a: Vector, b: Vector): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** The Euclidean length. */
export function lengthOf(vector: Vector): number {
  return Math.sqrt(innerProduct(vector, vector));
}

/** The same update from each of some attackers, in single precision as updates are. */
export function sameFromAll(update: Vector, attackers: number): Float32Array[] {
  const sent = new Float32Array(update);
  return Array.from({ length: attackers }, () => sent);
}
