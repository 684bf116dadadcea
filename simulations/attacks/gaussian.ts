import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import { fillNormal } from '../random/normal.ts';
import type { UpdateAttack } from './scene.ts';

const MU: NumericParameter = { name: 'mu', meaning: 'mean of the noise', default: 0, choices: [], real: 'signed' };
const SIGMA: NumericParameter = {
  name: 'sigma',
  meaning: 'standard deviation of the noise, in units of an update',
  default: 1,
  choices: [],
  real: 'non-negative',
};

/** Gaussian: every attacker sends noise of its own, independent at each coordinate, in place of an update. */
export const gaussian: UpdateAttack = {
  name: 'Gaussian',
  aliases: ['noise'],
  summary: 'sends Gaussian noise in place of an update',
  source:
    'Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine learning with adversaries", NeurIPS 2017 (sigma there: 200)',
  parameters: [SIGMA, MU],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, byzantine, rng }, params) => {
    const mu = numberParam(params, MU);
    const sigma = numberParam(params, SIGMA);
    const { length } = honest[0] as Float32Array;
    return Array.from({ length: byzantine }, () =>
      fillNormal(new Float32Array(length), rng).map((value) => mu + sigma * value),
    );
  },
};
