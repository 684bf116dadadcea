import type { Hex } from '../bytes.ts';
import { FedanchorError } from '../errors.ts';
import { type BufferRule, MOST_STALENESS } from './participation.ts';

/** Thrown when an update's age cannot be told, or is beyond what a job takes. */
export class StalenessError extends FedanchorError<'staleness/unknown-parent' | 'staleness/out-of-range'> {}

/** Binary places of {@link stalenessDiscount}. */
export const DISCOUNT_BITS = 20;

/**
 * What an update counts that was trained from an older model: `s(tau) = 1 / sqrt(1 + tau)` (Nguyen et al., "Federated
 * learning with buffered asynchronous aggregation", AISTATS 2022, section 5), to the nearest integer in units of 2^-20, by
 * integers alone: `floor((isqrt(floor(2^42 / (1 + tau))) + 1) / 2)`. An update from the newest model counts 2^20, all of it.
 *
 * @param staleness - tau: how many rounds older than the newest model its parent is, 0 to 1000
 * @throws StalenessError `staleness/out-of-range`
 */
export function stalenessDiscount(staleness: number): number {
  if (!Number.isInteger(staleness) || staleness < 0 || staleness > MOST_STALENESS) {
    const sentence = `a staleness of ${staleness} is none: give a whole number of rounds from 0 to ${MOST_STALENESS}`;
    throw new StalenessError('staleness/out-of-range', sentence, { staleness });
  }
  // floor(2 sqrt(y)), so that half a unit decides the rounding; y itself need not be an integer.
  const twice = integerSquareRoot(Math.floor(2 ** (2 * DISCOUNT_BITS + 2) / (1 + staleness)));
  return Math.floor((twice + 1) / 2);
}

/** The largest integer whose square is at most `value`, an integer below 2^52. */
function integerSquareRoot(value: number): number {
  let root = Math.floor(Math.sqrt(value));
  // Whatever the engine's root is off by, the integers decide.
  while (root * root > value) root--;
  while ((root + 1) * (root + 1) <= value) root++;
  return root;
}

/** What of an update says which model it was trained from. */
interface Parented {
  /** Whose it is. */
  readonly participant: Hex;
  /** Root of that model, where the job's rounds are buffered. */
  readonly parentRoot?: Hex;
}

/**
 * How many rounds old each update's parent is, by recorded roots and no clock.
 *
 * @param parents - roots of the models that updates may be trained from, the newest first: those of the last rounds
 * @param contributions - the updates
 * @returns one number of rounds an update. Where two rounds left the same model, it is the newer one's
 * @throws StalenessError `staleness/unknown-parent`
 */
export function stalenessesOf(parents: readonly Hex[], contributions: readonly Parented[]): number[] {
  return contributions.map(({ participant, parentRoot }) => {
    const staleness = parentRoot === undefined ? -1 : parents.indexOf(parentRoot);
    if (staleness >= 0) return staleness;
    throw new StalenessError(
      'staleness/unknown-parent',
      `the update of ${participant} was trained from ${parentRoot ?? 'no model that it names'}, none of the last ${parents.length}: it must not be admitted`,
      { participant, parentRoot },
    );
  });
}

/** Roots that updates may be trained from once another round has left its model: the newest first, no more than the rule lets be. */
export function parentsAfter({ maxStaleness }: BufferRule, modelRoot: Hex, before: readonly Hex[]): readonly Hex[] {
  return [modelRoot, ...before].slice(0, maxStaleness + 1);
}
