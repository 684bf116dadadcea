import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { UpdateAttack } from './scene.ts';
import { meanOf, sameFromAll, scaled, type Vectors } from './vectors.ts';

const TAU: NumericParameter = {
  name: 'tau',
  meaning: 'how many times the mean is sent, reversed',
  default: 2,
  choices: [],
  real: 'signed',
};

/**
 * Inner-product manipulation: sends `-tau * mean`, so that the aggregate's inner product with the true direction turns
 * negative. It turns a plain mean around when `tau` times the attackers is more than the honest.
 */
export const innerProductManipulation: UpdateAttack = {
  name: 'IPM',
  aliases: ['InnerProductManipulation', 'inner-product-manipulation'],
  summary: 'sends -tau times the mean honest update, so that the aggregate points away from it',
  source:
    'Xie, Koyejo, Gupta, "Fall of empires: breaking Byzantine-tolerant SGD by inner product manipulation", UAI 2019',
  parameters: [TAU],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, byzantine }, params) => sameFromAll(reversedMean(honest, numberParam(params, TAU)), byzantine),
};

/** `-tau * mean`, in double precision. */
export function reversedMean(honest: Vectors, tau: number): Float64Array {
  return scaled(meanOf(honest), -tau);
}
