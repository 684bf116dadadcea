import { krumBound, krumRanking, NEIGHBOURS } from '../krum-ranking.ts';
import type { GramRule, Parameter, Params } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';

const SELECTED: Parameter = {
  name: 'm',
  meaning:
    'how many of the best-scored updates are averaged: a count, or n-f (ByzFL), or n-f-2 (Damaskinos et al. 2019)',
  default: 'n-f',
  choices: ['n-f', 'n-f-2'],
  minimum: 1,
};

function selectedCount(n: number, f: number, params: Params): number {
  const m = params[SELECTED.name] ?? SELECTED.default;
  const count = m === 'n-f' ? n - f : m === 'n-f-2' ? n - f - 2 : Number(m);
  // More than n - f would take in an update that is faulty by the plan's own count.
  if (count < 1 || count > n - f) {
    throw new RuleError(
      'rule/bad-parameter',
      `MultiKrum's m = ${m} is ${count} here: it must be 1 to n - f = ${n - f}`,
      {
        rule: 'MultiKrum',
        parameter: SELECTED.name,
        value: m,
        n,
        f,
      },
    );
  }
  return count;
}

/**
 * Multi-Krum: the mean of the m updates with the best Krum scores, ties by lowest index.
 *
 * Requires 2f + 2 < n. O(n^2 d) for the Gram matrix. Parameters: `m`, and `neighbours` as in Krum.
 * Source: Blanchard et al., "Machine learning with adversaries: Byzantine tolerant gradient descent", NeurIPS 2017;
 * m = n-f-2 by Damaskinos et al., "AggregaThor: Byzantine machine learning via robust gradient aggregation", 2019.
 */
export const multiKrum: GramRule = {
  name: 'MultiKrum',
  aliases: ['multi-krum'],
  summary: 'mean of the m updates nearest to their neighbours',
  bound: '2f + 2 < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'settled on chain',
  parameters: [NEIGHBOURS, SELECTED],
  validate: (n, f, params = {}) => {
    refuseBeyond('MultiKrum', n, f, krumBound(n));
    selectedCount(n, f, params);
  },
  shares: (task) => {
    const { gram, f, params, scalar } = task;
    return meanOf(krumRanking(task).slice(0, selectedCount(gram.length, f, params)), gram.length, scalar);
  },
};
