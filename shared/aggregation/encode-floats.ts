import { MAX_UPDATE } from '../fixed-point/constants.ts';
import { powerOfTwo } from '../fixed-point/power-of-two.ts';
import { AggregationError } from './aggregation-error.ts';

/** Scales that floats may be encoded at: a squared length still has a double. */
const RANGE = { least: -400, most: 400 } as const;

/**
 * How fine floats are encoded: `auto` as fine as nothing is cut off; `round` as a round's plan would be, with a factor of
 * 2 between the median update's largest magnitude and the limit, so that f enormous updates cost the others no precision;
 * or a number of binary places.
 */
export type Fineness = 'auto' | 'round' | number;

/**
 * Binary places for updates of these largest magnitudes.
 *
 * @param magnitudes - one an update, finite
 * @returns an integer from -400 to 400; 0 where there is nothing but zeros
 * @throws AggregationError `aggregation/bad-update-bits`
 */
export function chooseUpdateBits(fineness: Fineness, magnitudes: readonly number[]): number {
  if (typeof fineness === 'number') {
    if (Number.isInteger(fineness) && fineness >= RANGE.least && fineness <= RANGE.most) return fineness;
    const sentence = `update bits must be auto, round, or a whole number from ${RANGE.least} to ${RANGE.most}, not ${fineness}`;
    throw new AggregationError('aggregation/bad-update-bits', sentence, { updateBits: fineness });
  }
  const inOrder = [...magnitudes].sort((a, b) => a - b);
  const reach = fineness === 'auto' ? inOrder.at(-1) : 2 * (inOrder[Math.floor(inOrder.length / 2)] as number);
  if (reach === undefined || reach === 0) return 0;
  let bits = 0;
  while (bits > RANGE.least && reach * powerOfTwo(bits) > MAX_UPDATE) bits -= 1;
  while (bits < RANGE.most && reach * powerOfTwo(bits + 1) <= MAX_UPDATE) bits += 1;
  return bits;
}

/**
 * Largest magnitude of an update.
 *
 * @param what - the update, for the message
 * @throws AggregationError `aggregation/non-finite`
 */
export function finiteMagnitude(what: string, values: ArrayLike<number>): number {
  let largest = 0;
  // A NaN stays and an infinity wins, so one look at the end tells of both.
  for (let at = 0; at < values.length; at += 1) largest = Math.max(largest, Math.abs(values[at] as number));
  if (Number.isFinite(largest)) return largest;
  const coordinate = Array.prototype.findIndex.call(values, (value) => !Number.isFinite(value));
  const sentence = `${what} has ${values[coordinate]} at coordinate ${coordinate}: only finite numbers can be aggregated, leave it out`;
  throw new AggregationError('aggregation/non-finite', sentence, { what, coordinate });
}

/**
 * Encodes floats to the nearest integers, halves upwards, cut to ±8191: the same input gives the same integers, which
 * stochastic rounding would not.
 *
 * @param into - as many integers, overwritten
 * @returns how many coordinates were cut
 */
export function encodeFloats(values: ArrayLike<number>, updateBits: number, into: Int16Array): number {
  const unit = powerOfTwo(updateBits);
  let saturated = 0;
  for (let at = 0; at < into.length; at += 1) {
    const nearest = Math.floor((values[at] as number) * unit + 0.5);
    if (nearest <= MAX_UPDATE && nearest >= -MAX_UPDATE) {
      into[at] = nearest;
    } else {
      saturated += 1;
      into[at] = nearest > 0 ? MAX_UPDATE : -MAX_UPDATE;
    }
  }
  return saturated;
}
