import { type NumericParameter, numberParam } from '../parameters.ts';
import { alongCombination, distancesFrom, realGram } from '../real-gram.ts';
import type { GramRule, Matrix } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { weightedMean } from '../shares.ts';

const SMOOTHING: NumericParameter = {
  name: 'nu',
  meaning: 'distance below which an update pulls no harder, as a real length',
  default: 0.1,
  choices: [],
  real: 'positive',
};

const ITERATIONS: NumericParameter = {
  name: 'T',
  meaning: 'how many steps are taken, at most',
  default: 3,
  choices: [],
  minimum: 1,
};

const TOLERANCE: NumericParameter = {
  name: 'tolerance',
  meaning: 'stop after a step no longer than this, as a real length; 0 takes every step',
  default: 0,
  choices: [],
  real: 'non-negative',
};

/**
 * Geometric median by the smoothed Weiszfeld algorithm: from `z = 0`, T times
 * `z = sum_i b_i x_i / sum_i b_i` with `b_i = 1 / max(nu, |x_i - z|)`.
 *
 * The iterate is a combination of the updates, so distances follow from the Gram matrix: O(n^2) a step, O(n^2 d) for the
 * matrix. Requires 2f < n; breakdown point 1/2, of the exact median; f is not otherwise used. Float64 `+ - * / sqrt` in a
 * fixed order. Ties cannot matter. The tolerance is one way other libraries end; ByzFL takes T steps.
 * Source: Pillutla, Kakade and Harchaoui, "Robust aggregation for federated learning", IEEE TSP 2022; Weiszfeld 1937.
 */
export const geometricMedian: GramRule = {
  name: 'GeometricMedian',
  aliases: ['geometric-median', 'RFA', 'GM'],
  summary: 'point with the smallest sum of distances, by smoothed Weiszfeld steps',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  guarantee: 'recomputable by anyone',
  parameters: [SMOOTHING, ITERATIONS, TOLERANCE],
  validate: (n, f) => refuseBeyond('GeometricMedian', n, f, Math.ceil(n / 2) - 1),
  shares: (task) => {
    const nu = numberParam(task.params, SMOOTHING);
    const tolerance = numberParam(task.params, TOLERANCE);
    const gram = realGram(task);
    let z = gram.map(() => 0);
    let pulls = z;
    for (let step = numberParam(task.params, ITERATIONS); step > 0; step -= 1) {
      pulls = distancesFrom(gram, z).map((squared) => 1 / Math.max(nu, Math.sqrt(squared)));
      const sum = pulls.reduce((total, pull) => total + pull, 0);
      const next = pulls.map((pull) => pull / sum);
      const moved = tolerance > 0 ? squaredStep(gram, z, next) : Number.POSITIVE_INFINITY;
      z = next;
      if (moved <= tolerance * tolerance) break;
    }
    return weightedMean(pulls, task.scalar);
  },
};

function squaredStep(gram: Matrix<number>, from: readonly number[], to: readonly number[]): number {
  const step = to.map((value, i) => value - (from[i] as number));
  return alongCombination(gram, step).reduce((sum, along, i) => sum + along * (step[i] as number), 0);
}
