import { scaledGram } from '../real-gram.ts';
import type { GramRule } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';
import { countSubsets, smallestVariance } from '../smallest-variance.ts';

/** Sets tried at most: a second or two. */
const MOST_SETS = 50_000;

/**
 * Smallest maximum eigenvalue averaging: the mean of the n - f updates whose covariance has the smallest largest
 * eigenvalue; of several such sets the first in lexicographic order.
 *
 * Exact, by trying every set: n-choose-f up to 50,000 is accepted. A set is given up as soon as a Cholesky factorization
 * shows its eigenvalue to be no smaller than the best so far; ByzFL estimates the eigenvalue by one step of the power
 * method from a random vector. O(n^2 d) for the Gram matrix, O((n-f)^3) a set. Requires 2f < n. Float64 `+ - * / sqrt` in a
 * fixed order.
 * Source: Allouah et al., "On the privacy-robustness-utility trilemma in distributed learning", ICML 2023.
 */
export const smea: GramRule = {
  name: 'SMEA',
  aliases: [],
  summary: 'mean of the n - f updates with the smallest largest variance',
  bound: '2f < n, at most 50,000 sets',
  family: 'gram',
  sees: 'gram',
  guarantee: 'recomputable by anyone',
  parameters: [],
  validate: (n, f) => {
    refuseBeyond('SMEA', n, f, Math.ceil(n / 2) - 1);
    const sets = countSubsets(n, f);
    if (sets <= MOST_SETS) return;
    const sentence = `SMEA tries every set of n - f updates: for n = ${n}, f = ${f} they are more than ${MOST_SETS}; lower f, or take CAF`;
    throw new RuleError('rule/too-many-faulty', sentence, { rule: 'SMEA', n, f, most: MOST_SETS });
  },
  shares: (task) => meanOf(smallestVariance(scaledGram(task), task.f), task.gram.length, task.scalar),
};
