import type { GramTask, Parameter } from './rule.ts';
import { floatScalar } from './scalar.ts';
import { rankAscending, squaredDistances } from './squared-distances.ts';

/** Which of the definitions in use Krum and MultiKrum score by; they can pick different updates. */
export const NEIGHBOURS: Parameter = {
  name: 'neighbours',
  meaning:
    'what an update is scored by: byzfl sums the n-f-1 smallest squared distances to the others, original the n-f-2 ' +
    'smallest squared ones (Blanchard et al. 2017), epfl the n-f-1 smallest unsquared ones',
  default: 'byzfl',
  choices: ['byzfl', 'original', 'epfl'],
  offChainChoices: ['epfl'],
};

/** Krum's bound: a score needs n - f - 2 >= f + 1 neighbours, a majority of honest ones, hence 2f + 2 < n. */
export function krumBound(n: number): number {
  return Math.ceil((n - 2) / 2) - 1;
}

/**
 * Updates from the best Krum score to the worst: the sum of the smallest distances to other updates, ties by lowest
 * index.
 *
 * The epfl variant takes float64 square roots of the exact squared distances and sums them smallest first: both are
 * correctly rounded on every IEEE machine, so the order is the same everywhere. O(n^2 log n).
 *
 * Parameter: `neighbours`, see {@link NEIGHBOURS}.
 *
 * @returns a permutation of 0 … n - 1
 */
export function krumRanking<T>({ gram, f, params, scalar }: GramTask<T>): number[] {
  const n = gram.length;
  const variant = params[NEIGHBOURS.name] ?? NEIGHBOURS.default;
  const count = Math.max(0, variant === 'original' ? n - f - 2 : n - f - 1);
  const nearest = squaredDistances(gram, scalar).map((row, i) =>
    row
      .filter((_, j) => j !== i)
      .sort(scalar.compare)
      .slice(0, count),
  );
  if (variant === 'epfl') {
    const sums = nearest.map((row) => row.reduce((sum, squared) => sum + Math.sqrt(scalar.toNumber(squared)), 0));
    return rankAscending(sums, floatScalar.compare);
  }
  const sums = nearest.map((row) => row.reduce((sum, squared) => scalar.add(sum, squared), scalar.zero));
  return rankAscending(sums, scalar.compare);
}
