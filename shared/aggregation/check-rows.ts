import { MAX_UPDATE } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';

/**
 * Checks that there are updates, each as long as the first.
 *
 * @returns their length
 * @throws AggregationError `aggregation/empty`, `aggregation/mixed-lengths`
 */
export function checkLengths(rows: readonly { readonly length: number }[]): number {
  const dimension = rows[0]?.length ?? 0;
  if (dimension === 0) {
    throw new AggregationError(
      'aggregation/empty',
      'there is nothing to aggregate: give at least one non-empty update',
      {
        rows: rows.length,
      },
    );
  }
  const odd = rows.findIndex((row) => row.length !== dimension);
  if (odd >= 0) {
    const length = rows[odd]?.length;
    const sentence = `update ${odd} has ${length} coordinates where update 0 has ${dimension}: leave it out`;
    throw new AggregationError('aggregation/mixed-lengths', sentence, { row: odd, length, expected: dimension });
  }
  return dimension;
}

/**
 * Checks integer updates: lengths, and magnitudes within what sums are exact for.
 *
 * @returns their length
 * @throws AggregationError `aggregation/empty`, `aggregation/mixed-lengths`, `aggregation/out-of-range`
 */
export function checkUpdates(rows: readonly Int16Array[]): number {
  const dimension = checkLengths(rows);
  for (const [row, values] of rows.entries()) checkMagnitudes(`update ${row}`, values, MAX_UPDATE);
  return dimension;
}

/**
 * Checks that no integer is larger than a bound.
 *
 * @param what - the vector, for the message
 * @throws AggregationError `aggregation/out-of-range`
 */
export function checkMagnitudes(what: string, values: Int16Array | Int32Array, bound: number): void {
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    if (value > bound || value < -bound) throw outOfRange(what, at, value, bound);
  }
}

/** The refusal of a coordinate that is larger than a bound. */
export function outOfRange(what: string, coordinate: number, value: number, bound: number): AggregationError {
  const sentence = `${what} has ${value} at coordinate ${coordinate}, beyond ±${bound}: it must not be admitted`;
  return new AggregationError('aggregation/out-of-range', sentence, { what, coordinate, value, bound });
}

/**
 * Checks sample counts: one non-negative safe integer an update, not all zero.
 *
 * @throws AggregationError `aggregation/bad-samples`
 */
export function checkSamples(samples: readonly number[], n: number): void {
  const sound = samples.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (samples.length === n && sound && samples.some((count) => count > 0)) return;
  const sentence = `the ${n} updates need one whole, non-negative sample count each, not all zero`;
  throw new AggregationError('aggregation/bad-samples', sentence, { n, samples: [...samples] });
}
