import type { LinearRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';

/**
 * Weighted mean: `sum_i s_i x_i / sum_i s_i`, s_i the samples participant i trained on (as the plan caps them).
 *
 * Not robust: one faulty update moves it anywhere, so f must be 0. Breakdown point 0; O(nd).
 * Source: McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS 2017.
 */
export const average: LinearRule = {
  name: 'Average',
  aliases: ['mean'],
  summary: 'weighted mean of all updates; one faulty update moves it anywhere',
  bound: 'f = 0',
  family: 'coordinate',
  sees: 'samples',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('Average', n, f, 0),
  shares: (samples, scalar) => {
    const shares = samples.map((count) => scalar.fromInteger(count));
    return { shares, whole: shares.reduce((sum, share) => scalar.add(sum, share), scalar.zero) };
  },
};
