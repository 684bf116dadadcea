import type { Rng } from '../../shared/rng.ts';
import type { Distribution } from '../experiment/run-spec.ts';
import { exp, log } from '../models/elementary.ts';
import { normalQuantile } from '../random/normal-quantile.ts';

/**
 * The value of a distribution below which a share of its values lies: the inverse of its cumulative distribution. One
 * uniform number makes one value, so that the same stream gives values that only move when a parameter moves.
 *
 * `uniform`: `least + (most - least) p`; `lognormal`: `median exp(sigma z)`, z the standard normal quantile of p;
 * `exponential`: `-mean ln(1 - p)`.
 *
 * @param probability - p, between 0 and 1, both excluded
 */
export function quantileOf(distribution: Distribution, probability: number): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value;
    case 'uniform':
      return distribution.least + (distribution.most - distribution.least) * probability;
    case 'lognormal':
      return distribution.median * exp(distribution.sigma * normalQuantile(probability));
    case 'exponential':
      return -distribution.mean * log(1 - probability);
  }
}

/** A number between 0 and 1, both excluded: the middle of one of 2^32 equal stretches. */
export function uniform(rng: Rng): number {
  return (rng.nextUint32() + 0.5) / 2 ** 32;
}

/**
 * What is wrong with a distribution.
 *
 * @param field - its name in the experiment
 * @param isZeroFine - whether its values may be 0: a time may, a bandwidth divides
 * @returns a sentence, or undefined
 */
export function distributionProblem(
  field: string,
  distribution: Distribution,
  isZeroFine: boolean,
): string | undefined {
  const least = isZeroFine ? 'at least 0' : 'above 0';
  const isFine = (value: number): boolean => Number.isFinite(value) && (isZeroFine ? value >= 0 : value > 0);
  const wants = (member: string, value: number): string | undefined =>
    isFine(value) ? undefined : `${field}.${member} is ${value}: give a number ${least}`;
  switch (distribution.kind) {
    case 'constant':
      return wants('value', distribution.value);
    case 'uniform': {
      const { least: low, most } = distribution;
      if (isFine(low) && !(Number.isFinite(most) && most >= low)) {
        return `${field}.most is ${most}: give a number no less than ${field}.least, which is ${low}`;
      }
      return wants('least', low);
    }
    case 'lognormal': {
      const { sigma } = distribution;
      if (!(sigma >= 0 && sigma <= 10)) return `${field}.sigma is ${sigma}: give a number from 0 to 10`;
      return wants('median', distribution.median);
    }
    case 'exponential':
      return wants('mean', distribution.mean);
  }
}
