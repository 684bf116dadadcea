import { apportion } from './apportion.ts';

/**
 * Splits a round's pot by score, largest remainder first, ties by lowest index.
 *
 * @param pot - what the round pays, in the token's smallest unit
 * @param scores - non-negative, one a participant
 * @returns one reward a participant, summing to the pot; nobody is paid when every score is zero
 * @throws AggregationError `aggregation/negative-share`
 */
export function splitPot(pot: bigint, scores: readonly bigint[]): bigint[] {
  return apportion(scores, pot);
}
