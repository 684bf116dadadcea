import { krumBound, krumRanking, NEIGHBOURS } from '../krum-ranking.ts';
import type { GramRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';

/**
 * Krum: the one update closest to its neighbours, `argmin_i sum_{j in N_i} |x_i - x_j|^2`, N_i the nearest others of i
 * (see `neighbours`), ties by lowest index.
 *
 * Requires 2f + 2 < n. O(n^2 d) for the Gram matrix.
 * Source: Blanchard et al., "Machine learning with adversaries: Byzantine tolerant gradient descent", NeurIPS 2017.
 */
export const krum: GramRule = {
  name: 'Krum',
  aliases: [],
  summary: 'the one update nearest to its neighbours',
  bound: '2f + 2 < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'settled on chain',
  parameters: [NEIGHBOURS],
  validate: (n, f) => refuseBeyond('Krum', n, f, krumBound(n)),
  shares: (task) => meanOf(krumRanking(task).slice(0, 1), task.gram.length, task.scalar),
};
