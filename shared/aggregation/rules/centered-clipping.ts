import { type NumericParameter, numberParam } from '../parameters.ts';
import { distancesFrom, realGram } from '../real-gram.ts';
import type { GramRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { realSum } from '../shares.ts';

const STEPS: NumericParameter = {
  name: 'L',
  meaning: 'how many steps are taken',
  default: 1,
  choices: [],
  minimum: 1,
};

const RADIUS: NumericParameter = {
  name: 'tau',
  meaning: 'how far from the centre an update may pull, as a real length',
  default: 100,
  choices: [],
  real: 'positive',
};

/**
 * Centered clipping: from a centre v, L times `v = v + (1/n) sum_i (x_i - v) min(1, tau / |x_i - v|)`.
 *
 * The centre is zero, or the reference that is given: the output of the round before, as ByzFL carries it over. v is a
 * combination of the updates and that centre, so distances follow from the Gram matrix: O(n^2) a step, O(n^2 d) for the
 * matrix. Requires 2f < n; f is not otherwise used. Float64 `+ - * / sqrt` in a fixed order. Ties cannot matter.
 * The weights sum to less than one where updates were clipped. Others start with tau = 10, L = 3.
 * Source: Karimireddy, He and Jaggi, "Learning from history for Byzantine robust optimization", ICML 2021.
 */
export const centeredClipping: GramRule = {
  name: 'CenteredClipping',
  aliases: ['centered-clipping'],
  summary: 'steps from a centre, each update pulling no farther than tau',
  bound: '2f < n',
  family: 'gram',
  sees: 'gram',
  reference: 'the centre to start from, such as the output of the round before',
  guarantee: 'recomputable by anyone',
  parameters: [STEPS, RADIUS],
  validate: (n, f) => refuseBeyond('CenteredClipping', n, f, Math.ceil(n / 2) - 1),
  shares: (task) => {
    const tau = numberParam(task.params, RADIUS);
    const gram = realGram(task);
    const n = gram.length - (task.reference ? 1 : 0);
    let v: number[] = gram.map((_, i) => (i < n ? 0 : 1));
    for (let step = numberParam(task.params, STEPS); step > 0; step -= 1) {
      const lengths = distancesFrom(gram, v).slice(0, n).map(Math.sqrt);
      const parts = lengths.map((length) => (length > tau ? tau / length : 1) / n);
      const clipped = lengths.some((length) => length > tau);
      // With nobody clipped nothing is left of v, whatever n times 1/n comes to in floating point.
      const left = clipped ? Math.max(0, 1 - parts.reduce((sum, part) => sum + part, 0)) : 0;
      v = v.map((value, i) => value * left + (parts[i] ?? 0));
    }
    return realSum(v, task.scalar);
  },
};
