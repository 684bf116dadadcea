import type { GramRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';
import { rankAscending } from '../squared-distances.ts';

/**
 * Comparative gradient elimination: the mean of the n - f updates with the smallest norms, ties by lowest index.
 *
 * Requires 2f < n. O(nd) for the norms, O(n log n) on them. It guards against lengths alone: a lie no longer than the
 * honest updates passes. The paper sums the kept updates; their mean differs by the constant n - f.
 * Source: Gupta, Liu and Vaidya, "Byzantine fault-tolerant distributed machine learning using stochastic gradient descent
 * (SGD) and norm-based comparative gradient elimination (CGE)", DSN-W 2021.
 */
export const cge: GramRule = {
  name: 'CGE',
  aliases: ['comparative-gradient-elimination'],
  summary: 'mean of the n - f updates with the smallest norms',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('CGE', n, f, Math.ceil(n / 2) - 1),
  shares: ({ gram, f, scalar }) => {
    const n = gram.length;
    const norms = gram.map((row, i) => row[i] as (typeof row)[number]);
    return meanOf(rankAscending(norms, scalar.compare).slice(0, n - f), n, scalar);
  },
};
