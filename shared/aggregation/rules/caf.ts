import { filterBySpectrum, startFromFarthest } from '../caf-filter.ts';
import { type NumericParameter, numberParam } from '../parameters.ts';
import { scaledGram } from '../real-gram.ts';
import type { GramRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { weightedMean } from '../shares.ts';

const POWER_ITERATIONS: NumericParameter = {
  name: 'power_iterations',
  meaning: 'steps of the power method for each dominant direction; ByzFL takes 1, from a random vector',
  default: 20,
  choices: [],
  minimum: 1,
};

/**
 * Covariance-bound agnostic filter: while the updates' weights c_i, all 1 at first, sum to more than n - 2f, find the
 * direction in which they vary most about their weighted mean, and multiply every weight by
 * `1 - tau_i / max_j tau_j`, tau_i the squared projection on it. The weighted mean with the smallest variance met is the
 * result; with f = 0 no step is taken and it is the mean.
 *
 * The directions are combinations of the updates, so the power method runs on the centred Gram matrix, from the weighted
 * update farthest from the mean (ties by lowest index), where ByzFL draws a random vector. ByzFL measures against the
 * largest projection of all, and an outlier that has no weight left can keep that so large that the loop never ends; here,
 * after n steps, only updates with weight are measured against. Each such step takes all the weight of one at least: 2n
 * steps at most. O(n^2) for each of them, O(n^2 d) for the matrix. Requires 2f < n. Float64 `+ - * / sqrt` in a fixed order.
 * Source: Allouah, Guerraoui and Stephan, "Towards trustworthy federated learning with untrusted participants", ICML 2025.
 */
export const caf: GramRule = {
  name: 'CAF',
  aliases: [],
  summary: 'mean weighted against the directions in which updates vary most',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'recomputable by anyone',
  parameters: [POWER_ITERATIONS],
  validate: (n, f) => refuseBeyond('CAF', n, f, Math.ceil(n / 2) - 1),
  shares: (task) => {
    const iterations = numberParam(task.params, POWER_ITERATIONS);
    return weightedMean(filterBySpectrum(scaledGram(task), task.f, iterations, startFromFarthest), task.scalar);
  },
};
