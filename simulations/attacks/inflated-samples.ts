import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { ClaimAttack } from './scene.ts';

/** The most samples that a statement can name. */
const MOST = 2 ** 32 - 1;

const FACTOR: NumericParameter = {
  name: 'factor',
  meaning: 'how many times its samples it states',
  default: 100,
  choices: [],
  real: 'positive',
};

/**
 * Inflated sample counts: an honest update under a false weight. It bends rules that weight by samples towards the
 * attacker's data, up to the plan's cap; robust rules here do not look at samples at all.
 */
export const inflatedSamples: ClaimAttack = {
  name: 'InflatedSamples',
  aliases: ['inflated-samples', 'samples'],
  summary: 'trains honestly and states many times its samples',
  source: 'the weights of McMahan et al., AISTATS 2017, which every client states for itself',
  parameters: [FACTOR],
  kind: 'claim',
  claim: (samples, params) => Math.max(1, Math.min(MOST, Math.round(samples * numberParam(params, FACTOR)))),
};
