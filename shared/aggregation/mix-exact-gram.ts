import type { Matrix, Mixing } from './rule.ts';

/** Narrowest limb worth the trouble. */
const LEAST_LIMB_BITS = 12;

/**
 * `M G M^T` over integers, exactly, in doubles: each inner product is cut into limbs so narrow that the sums of each limb,
 * whose entries come to the squared denominator at most, stay below 2^53. Bigints are needed only to cut and to put
 * together, n^2 times in place of n^3.
 *
 * Where the denominator leaves no room for limbs, products are summed as bigints.
 *
 * @param gram - n x n, symmetric
 * @returns as many rows and columns as the mixture has rows
 */
export function mixExactGram(gram: Matrix<bigint>, mixing: Mixing): bigint[][] {
  let limbBits = 52;
  for (let bound = 1; bound < mixing.denominator; bound *= 2) limbBits -= 2;
  const sparse = mixing.entries.map((row) => row.flatMap((entry, j) => (entry === 0 ? [] : [j])));
  if (limbBits < LEAST_LIMB_BITS) return mixBigints(gram, mixing.entries, sparse);
  const rows = mixing.entries.length;
  const mixed = Array.from({ length: rows }, () => Array.from({ length: rows }, () => 0n));
  for (const [level, limb] of cut(gram, limbBits).entries()) {
    const sums = mixLimb(limb, gram.length, mixing.entries, sparse);
    const shift = BigInt(level * limbBits);
    for (const [i, row] of mixed.entries()) {
      for (let j = i; j < rows; j += 1) row[j] = (row[j] as bigint) + (BigInt(sums[i * rows + j] as number) << shift);
    }
  }
  return mirror(mixed);
}

/** Limbs from the lowest on, all non-negative but the last, which carries the sign. */
function cut(gram: Matrix<bigint>, limbBits: number): Float64Array[] {
  const shift = BigInt(limbBits);
  const least = -(1n << (shift - 1n));
  const limbs: Float64Array[] = [];
  let rest = gram.flat();
  while (rest.some((value) => value < least || value >= -least)) {
    limbs.push(Float64Array.from(rest, (value) => Number(BigInt.asUintN(limbBits, value))));
    rest = rest.map((value) => value >> shift);
  }
  limbs.push(Float64Array.from(rest, Number));
  return limbs;
}

/** The upper triangle of `M L M^T`, in doubles. */
function mixLimb(
  limb: Float64Array,
  n: number,
  entries: Matrix<number>,
  sparse: readonly (readonly number[])[],
): Float64Array {
  const rows = entries.length;
  const half = new Float64Array(n);
  const mixed = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i += 1) {
    half.fill(0);
    for (const j of sparse[i] as readonly number[]) {
      const entry = entries[i]?.[j] as number;
      for (let k = 0; k < n; k += 1) half[k] = (half[k] as number) + entry * (limb[j * n + k] as number);
    }
    for (let other = i; other < rows; other += 1) {
      let sum = 0;
      for (const k of sparse[other] as readonly number[]) sum += (entries[other]?.[k] as number) * (half[k] as number);
      mixed[i * rows + other] = sum;
    }
  }
  return mixed;
}

function mixBigints(gram: Matrix<bigint>, entries: Matrix<number>, sparse: readonly (readonly number[])[]): bigint[][] {
  const wide = entries.map((row) => row.map(BigInt));
  const sumOver = (i: number, factor: (j: number) => bigint): bigint =>
    (sparse[i] as readonly number[]).reduce((sum, j) => sum + (wide[i]?.[j] as bigint) * factor(j), 0n);
  const mixed = entries.map((_, i) => {
    const half = gram.map((row) => sumOver(i, (j) => row[j] as bigint));
    return entries.map((_row, other) => (other < i ? 0n : sumOver(other, (k) => half[k] as bigint)));
  });
  return mirror(mixed);
}

/** Copies the upper triangle into the lower one. */
function mirror(matrix: bigint[][]): bigint[][] {
  for (const [i, row] of matrix.entries()) {
    for (let j = 0; j < i; j += 1) row[j] = (matrix[j] as bigint[])[i] as bigint;
  }
  return matrix;
}
