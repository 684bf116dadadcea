import type { Parameter } from '../../shared/aggregation/rule.ts';
import { normalQuantile } from '../random/normal-quantile.ts';
import { AttackError } from './attack-error.ts';
import type { UpdateAttack } from './scene.ts';
import { deviationOf, meanOf, sameFromAll, stepFrom, type Vectors } from './vectors.ts';

const TAU: Parameter = {
  name: 'tau',
  meaning:
    'standard deviations away from the mean; z_max: the most at which, by the paper, enough honest are farther out',
  default: 'z_max',
  choices: ['z_max'],
  real: 'signed',
};

/**
 * A little is enough: sends `mean + tau * deviation`, at each coordinate as far from the mean as some honest updates are
 * themselves. The deviation is the estimate with n - 1, as ByzFL's, whose tau is 1.5.
 */
export const littleIsEnough: UpdateAttack = {
  name: 'ALIE',
  aliases: ['ALittleIsEnough', 'little-is-enough'],
  summary: 'sends the mean honest update, moved by tau standard deviations at each coordinate',
  source:
    'Baruch, Baruch, Goldberg, "A little is enough: circumventing defenses for distributed learning", NeurIPS 2019',
  parameters: [TAU],
  kind: 'update',
  looksAt: 'honest',
  forge: ({ honest, byzantine, participants }, { tau = TAU.default }) =>
    sameFromAll(moved(honest, tau === 'z_max' ? zMax(participants, byzantine) : Number(tau)), byzantine),
};

/** `mean + tau * deviation`, in double precision. */
export function moved(honest: Vectors, tau: number): Float64Array {
  const mean = meanOf(honest);
  return stepFrom(mean, tau, deviationOf(honest, mean, 'n-1'));
}

/**
 * The paper's largest factor (its Algorithm 3): with `s = floor(n/2 + 1) - f` honest updates needed for a majority, the z
 * that a normal variable stays below with chance `(n - f - s) / (n - f)`.
 *
 * @param n - updates of the round
 * @param f - those of the attackers
 * @throws AttackError `attack/bad-parameter` when the attackers are a majority already, or no honest one would be left
 */
export function zMax(n: number, f: number): number {
  const needed = Math.floor(n / 2 + 1) - f;
  const chance = (n - f - needed) / (n - f);
  if (needed > 0 && chance > 0) return normalQuantile(chance);
  const sentence = `ALIE's z_max says nothing of f = ${f} attackers among n = ${n}: give tau as a number`;
  throw new AttackError('attack/bad-parameter', sentence, { attack: 'ALIE', parameter: 'tau', n, f });
}
