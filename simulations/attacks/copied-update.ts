import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import { normal } from '../random/normal.ts';
import type { UpdateAttack } from './scene.ts';
import { lengthOf } from './vectors.ts';

const NOISE: NumericParameter = {
  name: 'noise',
  meaning: 'standard deviation of disguising noise, in parts of the root mean square of the copied update',
  default: 0,
  choices: [],
  real: 'non-negative',
};

/**
 * The free-rider that copies: each attacker sends the update of an honest participant drawn anew every round, with noise on
 * it where it is to look like one of its own.
 */
export const copiedUpdate: UpdateAttack = {
  name: 'CopiedUpdate',
  aliases: ['copy', 'copied'],
  summary: 'free-riding: sends the update of an honest participant, another one each round',
  source: 'free-riding as in Fraboni, Vidal, Lorenzi, AISTATS 2021, with somebody’s update in place of the model',
  parameters: [NOISE],
  kind: 'update',
  looksAt: 'honest',
  forge: ({ honest, byzantine, rng }, params) =>
    Array.from({ length: byzantine }, () => {
      const copied = honest[rng.below(honest.length)] as Float32Array;
      const deviation = (numberParam(params, NOISE) * lengthOf(copied)) / Math.sqrt(copied.length);
      return deviation === 0 ? copied : copied.map((value) => value + deviation * normal(rng));
    }),
};
