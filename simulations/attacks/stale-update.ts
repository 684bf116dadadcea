import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { UpdateAttack } from './scene.ts';

const PERIOD: NumericParameter = {
  name: 'period',
  meaning: 'it trains in one of so many rounds, and sends the same update again in the others',
  default: 5,
  choices: [],
  minimum: 1,
};

/**
 * The free-rider that trains now and then: it sends an honest update, and sends it again in the rounds that follow. Where
 * attackers have no data of their own, they take honest updates that they saw.
 */
export const staleUpdate: UpdateAttack = {
  name: 'StaleUpdate',
  aliases: ['stale', 'replay'],
  summary: 'free-riding: trains in one of several rounds and sends the same update again in the others',
  source: 'free-riding as in Fraboni, Vidal, Lorenzi, AISTATS 2021, with an old update in place of the model',
  parameters: [PERIOD],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, own, byzantine, round, memory }, params) => {
    const period = numberParam(params, PERIOD);
    return Array.from({ length: byzantine }, (_, i) => {
      const key = `attacker ${i}`;
      const kept = memory.get(key);
      if (kept instanceof Float32Array && (round - 1) % period !== 0) return kept;
      // A copy: whoever runs the round may use the array again.
      const fresh = (own[i] ?? (honest[i % honest.length] as Float32Array)).slice();
      memory.set(key, fresh);
      return fresh;
    });
  },
};
