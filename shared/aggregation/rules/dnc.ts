import { startFromFarthest } from '../caf-filter.ts';
import { dominantDirection } from '../dominant-direction.ts';
import { type NumericParameter, numberParam } from '../parameters.ts';
import { centredGram, scaledGram } from '../real-gram.ts';
import type { GramRule, Params } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { meanOf } from '../shares.ts';
import { rankAscending } from '../squared-distances.ts';

const FILTERED: NumericParameter = {
  name: 'filter_frac',
  meaning: 'how many updates are left out, as a multiple of f',
  default: 1,
  choices: [],
  real: 'positive',
};

/** Steps of the power method: the paper takes the singular vector itself. */
const POWER_ITERATIONS = 100;

function keptCount(n: number, f: number, params: Params): number {
  const fraction = numberParam(params, FILTERED);
  const kept = n - Math.floor(fraction * f);
  if (kept >= 1) return kept;
  const sentence = `DnC's filter_frac = ${fraction} leaves out all ${n} updates for f = ${f}: give less than ${n / f}`;
  throw new RuleError('rule/bad-parameter', sentence, { rule: 'DnC', parameter: FILTERED.name, value: fraction, n, f });
}

/**
 * Divide and conquer: the mean of the updates but for the `floor(filter_frac f)` with the largest squared projections on
 * the direction in which the updates vary most about their mean; ties keep the lowest index.
 *
 * The paper looks at random subsets of the coordinates, several times, because a singular vector of all of them was too
 * dear; here it follows from the Gram matrix, so all are looked at, once: there is nothing to draw and nothing to repeat.
 * O(n^2 d) for the matrix, O(n^2) for each of 100 steps of the power method, from the update farthest from the mean.
 * Requires 2f < n. Float64 `+ - * / sqrt` in a fixed order.
 * Source: Shejwalkar and Houmansadr, "Manipulating the Byzantine: optimizing model poisoning attacks and defenses for
 * federated learning", NDSS 2021.
 */
export const dnc: GramRule = {
  name: 'DnC',
  aliases: ['divide-and-conquer'],
  summary: 'mean without the updates farthest out in the direction of largest variance',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'recomputable by anyone',
  parameters: [FILTERED],
  validate: (n, f, params = {}) => {
    refuseBeyond('DnC', n, f, Math.ceil(n / 2) - 1);
    keptCount(n, f, params);
  },
  shares: (task) => {
    const n = task.gram.length;
    const ones = task.gram.map(() => 1);
    const centred = centredGram(
      scaledGram(task),
      ones.map((one) => one / n),
    );
    const start = startFromFarthest(centred, ones, 0);
    const { projections } = dominantDirection(centred, ones, start, POWER_ITERATIONS);
    const scores = projections.map((projection) => projection * projection);
    const kept = rankAscending(scores, (a, b) => a - b).slice(0, keptCount(n, task.f, task.params));
    return meanOf(kept, n, task.scalar);
  },
};
