import type { PreAggregator } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { rankAscending, squaredDistances } from '../squared-distances.ts';

/**
 * Nearest-neighbour mixing: every update is replaced by the mean of the n - f updates nearest to it, itself among
 * them; ties by lowest index.
 *
 * Requires 2f < n. O(n^2 d) for the Gram matrix, O(n^2 log n) on it. The neighbour sets of 64 updates are too much for
 * one transaction, hence the guarantee.
 * Source: Allouah et al., "Fixing by mixing: a recipe for optimal Byzantine ML under heterogeneity", AISTATS 2023.
 */
export const nnm: PreAggregator = {
  name: 'NNM',
  aliases: ['nearest-neighbour-mixing'],
  summary: 'every update becomes the mean of the n - f nearest to it',
  bound: '2f < n',
  guarantee: 'recomputable by anyone',
  parameters: [],
  validate: (n, f) => refuseBeyond('NNM', n, f, Math.ceil(n / 2) - 1),
  shape: (n, f) => ({ rows: n, denominator: n - f }),
  mix: ({ gram, f, scalar }) => {
    const count = gram.length - f;
    const entries = squaredDistances(gram, scalar).map((row) => {
      const near = new Set(rankAscending(row, scalar.compare).slice(0, count));
      return row.map((_, j) => (near.has(j) ? 1 : 0));
    });
    return { entries, denominator: count };
  },
};
