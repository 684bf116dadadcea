import { AGGREGATE_FRACTION_BITS, MAX_UPDATE } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';
import { checkMagnitudes, checkUpdates } from './check-rows.ts';
import type { Matrix } from './rule.ts';

/**
 * Products summed in a double before they go to a bigint. A product of two aggregate coordinates is below 2^42, one of
 * two updates below 2^26: 2^11 of either stay within 2^53, so every partial sum is an exact integer.
 */
const SPAN = 2 ** 11;

/**
 * Exact inner products of all updates, and of the aggregate with them and itself when it is given.
 *
 * @param rows - n updates of D coordinates, |q| <= 8191
 * @param aggregate - D coordinates, 256 times finer than an update's; it becomes the last row and column, in its units
 * @returns n x n, or (n+1) x (n+1); symmetric
 * @throws AggregationError `aggregation/empty`, `aggregation/mixed-lengths`, `aggregation/out-of-range`
 */
export function gramMatrix(rows: readonly Int16Array[], aggregate?: Int32Array): bigint[][] {
  checkUpdates(rows);
  const gram = rows.map((row, i) => rows.map((other, j) => (j < i ? 0n : innerProduct(row, other))));
  for (let i = 1; i < gram.length; i += 1) {
    for (let j = 0; j < i; j += 1) (gram[i] as bigint[])[j] = (gram[j] as bigint[])[i] as bigint;
  }
  return aggregate === undefined ? gram : appendAggregate(gram, rows, aggregate);
}

/**
 * Adds the aggregate as the last row and column to inner products already at hand.
 *
 * @param gram - n x n exact inner products of the rows
 * @param rows - the n updates
 * @param aggregate - as long as the rows, 256 times finer
 * @throws AggregationError `aggregation/mixed-lengths`, `aggregation/out-of-range`
 */
export function appendAggregate(gram: Matrix<bigint>, rows: readonly Int16Array[], aggregate: Int32Array): bigint[][] {
  const odd = rows.find((row) => row.length !== aggregate.length);
  if (odd !== undefined) {
    const sentence = `the aggregate has ${aggregate.length} coordinates, the updates ${odd.length}: they must agree`;
    throw new AggregationError('aggregation/mixed-lengths', sentence, {
      length: aggregate.length,
      expected: odd.length,
    });
  }
  checkMagnitudes('the aggregate', aggregate, MAX_UPDATE * 2 ** AGGREGATE_FRACTION_BITS);
  const products = rows.map((row) => innerProduct(row, aggregate));
  return [...gram.map((row, i) => [...row, products[i] as bigint]), [...products, innerProduct(aggregate, aggregate)]];
}

/**
 * Inner products in float64, each summed in coordinate order.
 *
 * @param rows - n finite vectors of one length
 * @throws AggregationError `aggregation/non-finite` when a product overflows
 */
export function gramFloats(rows: readonly ArrayLike<number>[]): number[][] {
  const gram = rows.map((row) =>
    rows.map((other) => {
      let sum = 0;
      for (let at = 0; at < row.length; at += 1) sum += (row[at] as number) * (other[at] as number);
      return sum;
    }),
  );
  if (gram.some((row) => row.some((inner) => !Number.isFinite(inner)))) {
    const sentence = 'an inner product of two updates overflows float64: divide the updates by a power of two';
    throw new AggregationError('aggregation/non-finite', sentence);
  }
  return gram;
}

function innerProduct(a: Int16Array | Int32Array, b: Int16Array | Int32Array): bigint {
  let total = 0n;
  for (let start = 0; start < a.length; start += SPAN) {
    const end = Math.min(start + SPAN, a.length);
    let sum = 0;
    for (let at = start; at < end; at += 1) sum += (a[at] as number) * (b[at] as number);
    total += BigInt(sum);
  }
  return total;
}
