import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import { normal } from '../random/normal.ts';
import type { UpdateAttack } from './scene.ts';
import { lengthOf } from './vectors.ts';

const SCALE: NumericParameter = {
  name: 'scale',
  meaning: 'what the last move is multiplied with',
  default: 1,
  choices: [],
  real: 'signed',
};
const NOISE: NumericParameter = {
  name: 'noise',
  meaning: 'standard deviation of disguising noise, in parts of the root mean square of what is sent',
  default: 0,
  choices: [],
  real: 'non-negative',
};

/**
 * The free-rider that sends the difference of the last two models, which looks much like an update and costs nothing; with
 * noise on it, so that several of them do not send the same. Before anything has moved it sends zeros.
 */
export const deltaWeights: UpdateAttack = {
  name: 'DeltaWeights',
  aliases: ['delta-weights', 'delta'],
  summary: 'free-riding: sends by what the model moved in the round before',
  source: 'Lin, Du, Liu, "Free-riders in federated learning: attacks and defenses", arXiv:1911.12560, 2019',
  parameters: [SCALE, NOISE],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, byzantine, lastMove, rng }, params) => {
    const scale = numberParam(params, SCALE);
    const base = (lastMove ?? new Float32Array((honest[0] as Float32Array).length)).map((value) => scale * value);
    const deviation = (numberParam(params, NOISE) * lengthOf(base)) / Math.sqrt(base.length);
    return Array.from({ length: byzantine }, () =>
      deviation === 0 ? base : base.map((value) => value + deviation * normal(rng)),
    );
  },
};
