import { type NumericParameter, numberParam } from '../parameters.ts';
import { realGram } from '../real-gram.ts';
import type { GramRule } from '../rule.ts';
import { RuleError, refuseBeyond } from '../rule-error.ts';
import { realSum } from '../shares.ts';

const ROOT: NumericParameter = {
  name: 'root',
  meaning: "position of the server's own update, from 0; a reference given beside the updates takes its place",
  default: 0,
  choices: [],
  minimum: 0,
};

/** How many times longer a short update may be made: so that integer sums stay exact, and noise is not blown up. */
const MOST_STRETCH = 512;

/**
 * FLTrust: every update is brought to the length of the server's own, g, and counts as much as it points the same way:
 * `sum_i t_i (|g| / |x_i|) x_i / sum_i t_i` with `t_i = max(0, cos(x_i, g))`. Zero when no update points that way.
 *
 * The server's update is a row of its own beside the updates, or update `root` among them; it has no weight itself. It must
 * be honest; then any number of the others may be faulty: f < n. An update is made 512 times longer at most. O(nd) for the
 * products with g. Float64 `+ - * / sqrt` in a fixed order. Ties cannot matter.
 * Source: Cao, Fang, Liu and Gong, "FLTrust: Byzantine-robust federated learning via trust bootstrapping", NDSS 2021.
 */
export const flTrust: GramRule = {
  name: 'FLTrust',
  aliases: ['fl-trust'],
  summary: 'mean weighted by agreement with the server’s own update, at its length',
  bound: 'f < n',
  family: 'gram',
  sees: 'gram',
  reference: "the server's own update",
  guarantee: 'recomputable by anyone',
  parameters: [ROOT],
  validate: (n, f, params = {}) => {
    refuseBeyond('FLTrust', n, f, n - 1);
    const root = numberParam(params, ROOT);
    if (root < n) return;
    const sentence = `FLTrust's root = ${root} is beyond the ${n} updates: give 0 to ${n - 1}`;
    throw new RuleError('rule/bad-parameter', sentence, { rule: 'FLTrust', parameter: ROOT.name, value: root, n });
  },
  shares: (task) => {
    const gram = realGram(task);
    const root = task.reference ? gram.length - 1 : numberParam(task.params, ROOT);
    const along = gram[root] as readonly number[];
    const length = Math.sqrt(along[root] as number);
    const norms = gram.map((row, i) => Math.sqrt(row[i] as number));
    const trust = along.map((inner, i) => {
      const norm = norms[i] as number;
      return i === root || !(inner > 0) || norm === 0 || length === 0 ? 0 : inner / norm / length;
    });
    const sum = trust.reduce((total, score) => total + score, 0);
    const coefficients = trust.map((score, i) =>
      score === 0 ? 0 : (score / sum) * Math.min(MOST_STRETCH, length / (norms[i] as number)),
    );
    return realSum(coefficients, task.scalar);
  },
};
