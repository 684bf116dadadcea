import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Params } from '../../shared/aggregation/rule.ts';
import { directionOf } from './directions.ts';
import { innerProduct, meanOf, squaredDistance, stepFrom, type Vectors } from './vectors.ts';

/** Parameters of the bisection, with the defaults of the paper's own program. */
export const BISECTION: readonly NumericParameter[] = [
  {
    name: 'gamma',
    meaning: 'the length tried first; at most twice it can be found',
    default: 10,
    choices: [],
    real: 'positive',
  },
  {
    name: 'threshold',
    meaning: 'the change of the length that ends the search',
    default: 1e-5,
    choices: [],
    real: 'positive',
  },
];

/** Of some distances the one number that an attack keeps within what it is among the honest. */
export type Reach = (squaredDistances: readonly number[]) => number;

/**
 * The update `mean - gamma * direction` with the longest gamma that a bisection finds at which its squared distances from
 * the honest updates reach no farther than those of the honest one that reaches farthest. In double precision.
 *
 * @param reach - the largest of an update's squared distances, or their sum
 */
export function withinHonest(honest: Vectors, direction: string, reach: Reach, params: Params): Float64Array {
  const mean = meanOf(honest);
  const away = directionOf(direction, honest, mean);
  const allowed = largest(distancesAmong(honest).map(reach));
  // |x - (mean - g d)|^2 = |x - mean|^2 + 2 g <x - mean, d> + g^2 <d, d>: one walk over the updates for all of the search.
  const square = innerProduct(away, away);
  const along = honest.map((update) => innerProduct(update, away) - innerProduct(mean, away));
  const off = honest.map((update) => squaredDistance(update, mean));
  const fits = (gamma: number): boolean =>
    reach(off.map((distance, i) => distance + 2 * gamma * (along[i] as number) + gamma * gamma * square)) <= allowed;
  const [first, threshold] = BISECTION.map((parameter) => numberParam(params, parameter)) as [number, number];
  return stepFrom(mean, -longest(fits, first, threshold), away);
}

/** The largest of some numbers that are not negative. */
export function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** The bisection of the paper's program: steps of half the length before, forwards where the length fits. */
function longest(fits: (gamma: number) => boolean, first: number, threshold: number): number {
  let gamma = first;
  let step = first;
  let found = 0;
  while (Math.abs(found - gamma) > threshold) {
    step /= 2;
    if (fits(gamma)) {
      found = gamma;
      gamma += step;
    } else {
      gamma -= step;
    }
  }
  return found;
}

function distancesAmong(vectors: Vectors): number[][] {
  const distances = vectors.map(() => vectors.map(() => 0));
  for (const [i, a] of vectors.entries()) {
    for (let j = 0; j < i; j += 1) {
      const distance = squaredDistance(a, vectors[j] as Float32Array);
      (distances[i] as number[])[j] = distance;
      (distances[j] as number[])[i] = distance;
    }
  }
  return distances;
}
