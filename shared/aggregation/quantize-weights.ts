import { WEIGHT_ONE } from '../fixed-point/constants.ts';
import { roundDivBig } from '../fixed-point/round-div.ts';
import { AggregationError } from './aggregation-error.ts';
import { apportion } from './apportion.ts';
import type { Shares } from './rule.ts';

/** Largest sum of weights: below it every partial sum of `weight * q`, |q| <= 8191, is exact in a double. */
const MOST_WEIGHT = 2 ** 39;

/**
 * Exact shares as integer weights in units of 2^-30: what they sum to is rounded once, and divided among them by largest
 * remainder. The weights of a mean sum to exactly 2^30.
 *
 * @throws AggregationError `aggregation/too-large` when the shares come to more than 2^9 wholes, `aggregation/negative-share`
 */
export function quantizeWeights({ shares, whole }: Shares<bigint>): number[] {
  const sum = shares.reduce((total, share) => total + share, 0n);
  const total = roundDivBig(sum * BigInt(WEIGHT_ONE), whole);
  if (total > BigInt(MOST_WEIGHT)) {
    const sentence = `the weights come to ${total} of 2^30, beyond the ${MOST_WEIGHT} that sums are exact for`;
    throw new AggregationError('aggregation/too-large', sentence, { total: String(total), most: MOST_WEIGHT });
  }
  return apportion(shares, total).map(Number);
}
