import type { GramRule } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';
import { smallestDiameter } from '../smallest-diameter.ts';
import { squaredDistances } from '../squared-distances.ts';

/** Beyond so many faulty updates the search could take minutes. */
const MOST_FAULTY = 24;

/**
 * Minimum-diameter averaging: the mean of the n - f updates whose largest mutual distance is smallest; of several such
 * sets the first in lexicographic order.
 *
 * Exact. Libraries try all n-choose-f sets; here a set of a given diameter is a graph from which f vertices must go so that
 * no edge between updates farther apart is left, a search of depth f, at most about 1.47^f steps: f <= 24 is accepted.
 * Requires 2f < n. O(n^2 d) for the Gram matrix.
 * Source: El Mhamdi et al., "Genuinely distributed Byzantine machine learning", PODC 2020.
 */
export const mda: GramRule = {
  name: 'MDA',
  aliases: ['minimum-diameter-averaging'],
  summary: 'mean of the n - f updates with the smallest diameter',
  bound: '2f < n, f <= 24',
  family: 'gram',
  sees: 'gram',
  guarantee: 'recomputable by anyone',
  parameters: [],
  validate: (n, f) => {
    refuseBeyond('MDA', n, f, Math.ceil(n / 2) - 1);
    if (f <= MOST_FAULTY) return;
    const sentence = `MDA searches sets exactly, in a time exponential in f: f = ${f} is beyond ${MOST_FAULTY}; lower f or take MultiKrum`;
    throw new RuleError('rule/too-many-faulty', sentence, { rule: 'MDA', n, f, bound: MOST_FAULTY });
  },
  shares: ({ gram, f, scalar }) =>
    meanOf(smallestDiameter(squaredDistances(gram, scalar), f, scalar.compare), gram.length, scalar),
};
