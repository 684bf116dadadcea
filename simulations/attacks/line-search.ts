import type { NumericParameter } from '../../shared/aggregation/parameters.ts';

/** How a factor is looked for. */
export interface LineSearch {
  /** How often the effect is looked at. */
  readonly evals: number;
  /** The factor looked at first. */
  readonly start: number;
  /** The first step away from it. */
  readonly delta: number;
  /** What a step is multiplied with after one that was no better. */
  readonly ratio: number;
}

/** The parameters of a search, with ByzFL's defaults. */
export const LINE_SEARCH: readonly NumericParameter[] = [
  { name: 'evals', meaning: 'how often the rule is tried out', default: 20, choices: [], minimum: 1, maximum: 1000 },
  { name: 'start', meaning: 'the factor tried first', default: 0, choices: [], real: 'signed' },
  { name: 'delta', meaning: 'the first step away from it', default: 10, choices: [], real: 'positive' },
  {
    name: 'ratio',
    meaning: 'what steps shrink by that lead nowhere',
    default: 0.8,
    choices: [],
    real: 'positive',
    maximum: 1,
  },
];

/**
 * Looks for the factor of greatest effect, going upwards from `start`: in steps that double as long as each is better than
 * all before, then in steps that shrink, each taken from the best so far (as ByzFL's optimal attacks do). A heuristic: the
 * effect may have many maxima.
 *
 * @param effect - what to make large; looked at `evals` times
 * @returns the best factor looked at, the first of equals
 */
export async function searchUpwards(
  effect: (factor: number) => Promise<number>,
  { evals, start, delta, ratio }: LineSearch,
): Promise<number> {
  let best = start;
  let most = await effect(start);
  let step = delta;
  let doubling = true;
  for (let used = 1; used < evals; used += 1) {
    const factor = best + step;
    const found = await effect(factor);
    const better = found > most;
    if (better) [best, most] = [factor, found];
    doubling &&= better;
    step *= doubling ? 2 : ratio;
  }
  return best;
}
