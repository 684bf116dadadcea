import { type NumericParameter, numberParam } from '../parameters.ts';
import type { GramRule } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';
import { rankAscending, squaredDistances } from '../squared-distances.ts';

const PIVOT: NumericParameter = {
  name: 'idx',
  meaning: 'position of the update that is trusted, from 0',
  default: 0,
  choices: [],
  minimum: 0,
};

/**
 * MoNNA: the mean of the n - f updates nearest to one that is trusted, itself among them; ties by lowest index.
 *
 * Requires 2f < n, and that update `idx` is honest: the rule holds for its owner. O(nd) for its distances, O(n log n) on
 * them.
 * Source: Farhadkhani et al., "Robust collaborative learning with linear gradient overhead", ICML 2023.
 */
export const monna: GramRule = {
  name: 'MoNNA',
  aliases: [],
  summary: 'mean of the n - f updates nearest to a trusted one',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'settled on chain',
  parameters: [PIVOT],
  validate: (n, f, params = {}) => {
    refuseBeyond('MoNNA', n, f, Math.ceil(n / 2) - 1);
    const idx = numberParam(params, PIVOT);
    if (idx < n) return;
    const sentence = `MoNNA's idx = ${idx} is beyond the ${n} updates: give 0 to ${n - 1}`;
    throw new RuleError('rule/bad-parameter', sentence, { rule: 'MoNNA', parameter: PIVOT.name, value: idx, n });
  },
  pivot: (params) => numberParam(params, PIVOT),
  shares: ({ gram, f, params, scalar }) => {
    const n = gram.length;
    const distances = squaredDistances(gram, scalar)[numberParam(params, PIVOT)] ?? [];
    return meanOf(rankAscending(distances, scalar.compare).slice(0, n - f), n, scalar);
  },
};
