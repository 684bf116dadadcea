import { powerOfTwo } from '../fixed-point/power-of-two.ts';
import type { GramTask, Matrix } from './rule.ts';

/**
 * Inner products of the real updates in float64: each exact entry is rounded to the nearest double once, then multiplied
 * by the squared unit. What iterative rules go on from; with `+ - * / sqrt` in a fixed order every machine agrees.
 */
export function realGram<T>({ gram, scalar, unit }: GramTask<T>): number[][] {
  const squared = unit * unit;
  return gram.map((row) => row.map((inner) => scalar.toNumber(inner) * squared));
}

/**
 * Inner products in float64 at a scale of no meaning: the largest entry lies between a quarter and one, so that products
 * of several neither overflow nor vanish. The scale is a power of four, hence exact. For rules that no scale changes.
 */
export function scaledGram<T>({ gram, scalar }: GramTask<T>): number[][] {
  const values = gram.map((row) => row.map((inner) => scalar.toNumber(inner)));
  let largest = values.reduce((most, row) => row.reduce((max, value) => Math.max(max, Math.abs(value)), most), 0);
  if (largest === 0) return values;
  let factor = 1;
  for (; largest > 1; largest /= 4) factor /= 4;
  for (; largest <= 1 / 4; largest *= 4) factor *= 4;
  return values.map((row) => row.map((value) => value * factor));
}

/** Products `<x_i, z>` of all rows with `z = sum_j a_j x_j`, each summed in the order of j. */
export function alongCombination(gram: Matrix<number>, a: readonly number[]): number[] {
  return gram.map((row) => {
    let sum = 0;
    for (let j = 0; j < a.length; j += 1) sum += (a[j] as number) * (row[j] as number);
    return sum;
  });
}

/**
 * Squared distances of all rows from `z = sum_j a_j x_j`: `G_ii - 2 (G a)_i + a^T G a`, what rounds below zero as zero.
 */
export function distancesFrom(gram: Matrix<number>, a: readonly number[]): number[] {
  const along = alongCombination(gram, a);
  let own = 0;
  for (let j = 0; j < a.length; j += 1) own += (a[j] as number) * (along[j] as number);
  return gram.map((row, i) => {
    const squared = (row[i] as number) - 2 * (along[i] as number) + own;
    return Math.max(squared, 0);
  });
}

/** Inner products of the differences `x_i - z`, `z = sum_j a_j x_j` with the a summing to one. */
export function centredGram(gram: Matrix<number>, a: readonly number[]): number[][] {
  const along = alongCombination(gram, a);
  let own = 0;
  for (let j = 0; j < a.length; j += 1) own += (a[j] as number) * (along[j] as number);
  return gram.map((row, i) => row.map((inner, j) => inner - (along[i] as number) - (along[j] as number) + own));
}

/**
 * Length of one unit of mixed integer updates: `2^-updateBits / denominator`.
 *
 * @param updateBits - an integer from -1000 to 1000
 */
export function unitOf(updateBits: number, denominator: number): number {
  return powerOfTwo(-updateBits) / denominator;
}
