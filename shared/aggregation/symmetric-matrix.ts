import type { Matrix } from './rule.ts';

/** Rounds of rotations after which a matrix counts as diagonal: convergence is quadratic, six to ten are usual. */
const MOST_SWEEPS = 60;

/**
 * Whether a symmetric matrix is positive definite: whether Cholesky's factorization meets positive pivots only.
 */
export function isPositiveDefinite(matrix: Matrix<number>): boolean {
  const lower: number[][] = [];
  for (const [i, row] of matrix.entries()) {
    const own: number[] = [];
    for (let j = 0; j <= i; j += 1) {
      const other = j === i ? own : (lower[j] as number[]);
      let value = row[j] as number;
      for (let k = 0; k < j; k += 1) value -= (own[k] as number) * (other[k] as number);
      if (j < i) own.push(value / (other[j] as number));
      else if (value > 0) own.push(Math.sqrt(value));
      else return false;
    }
    lower.push(own);
  }
  return true;
}

/**
 * Largest eigenvalue of a symmetric matrix by Jacobi's cyclic rotations, to a few units in the last place of the largest
 * entry: float64 `+ - * / sqrt` in a fixed order, so the same on every machine.
 */
export function largestEigenvalue(matrix: Matrix<number>): number {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep += 1) {
    let rotated = false;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) rotated = rotate(a, p, q) || rotated;
    }
    if (!rotated) break;
  }
  return a.reduce((most, row, i) => Math.max(most, row[i] as number), Number.NEGATIVE_INFINITY);
}

/** Makes `a[p][q]` zero, unless it is too small to change what stands on the diagonal; says whether it did. */
function rotate(a: number[][], p: number, q: number): boolean {
  const rowP = a[p] as number[];
  const rowQ = a[q] as number[];
  const off = rowP[q] as number;
  const [app, aqq] = [rowP[p] as number, rowQ[q] as number];
  if (app + Math.abs(off) === app && aqq + Math.abs(off) === aqq) return false;
  const theta = (aqq - app) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const [k, row] of a.entries()) {
    if (k === p || k === q) continue;
    const [akp, akq] = [row[p] as number, row[q] as number];
    row[p] = c * akp - s * akq;
    row[q] = s * akp + c * akq;
    rowP[k] = row[p] as number;
    rowQ[k] = row[q] as number;
  }
  rowP[p] = app - t * off;
  rowQ[q] = aqq + t * off;
  rowP[q] = 0;
  rowQ[p] = 0;
  return true;
}
