import { AGGREGATE_FRACTION_BITS, MAX_UPDATE } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';
import type { CoordinateRule, Mixing } from './rule.ts';

/**
 * Largest denominator of a coordinate's value: a value lies within ±8191 times it, an aggregate has eight more binary
 * places, `roundDiv` doubles once more, and 2^53 is where doubles stop being exact.
 */
export const MOST_DENOMINATOR = Math.floor(
  Number.MAX_SAFE_INTEGER / (2 * 2 ** AGGREGATE_FRACTION_BITS * (MAX_UPDATE + 1)),
);

/**
 * What `rule.reduce` of mixed, undivided values is to be divided by: its own denominator times the mixture's, unless its
 * values are signs.
 *
 * @param n - values at a coordinate: the mixture's rows, or the updates
 */
export function reductionDenominator(rule: CoordinateRule, n: number, f: number, mixing: Mixing | null): number {
  return rule.denominator(n, f) * (rule.yields === 'signs' ? 1 : (mixing?.denominator ?? 1));
}

/**
 * Refuses a mixture and rule whose values would not be exact over integers.
 *
 * @throws AggregationError `aggregation/too-large`
 */
export function checkExact(rule: CoordinateRule, n: number, f: number, mixing: Mixing | null): void {
  const denominator = rule.denominator(n, f) * (mixing?.denominator ?? 1);
  if (denominator > MOST_DENOMINATOR) throw tooFine(n, denominator);
}

/** The refusal of a denominator that sums are not exact for. */
export function tooFine(n: number, denominator: number): AggregationError {
  const sentence = `a denominator of ${denominator} is too large for exact sums: admit fewer updates or mix less often`;
  return new AggregationError('aggregation/too-large', sentence, { n, denominator });
}
