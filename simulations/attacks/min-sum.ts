import type { Params } from '../../shared/aggregation/rule.ts';
import { DIRECTION } from './directions.ts';
import type { UpdateAttack } from './scene.ts';
import { sameFromAll, type Vectors } from './vectors.ts';
import { BISECTION, withinHonest } from './within-honest.ts';

/**
 * Min-Sum: sends `mean - gamma * direction` with the longest gamma at which the sum of its squared distances from the honest
 * updates is no more than that of some honest one.
 */
export const minSum: UpdateAttack = {
  name: 'MinSum',
  aliases: ['Min-Sum'],
  summary: 'moves away from the honest mean as far as the sum of distances stays within that of an honest update',
  source: 'Shejwalkar, Houmansadr, "Manipulating the Byzantine", NDSS 2021',
  parameters: [DIRECTION, ...BISECTION],
  kind: 'update',
  looksAt: 'honest',
  forge: ({ honest, byzantine }, params) => sameFromAll(minSumUpdate(honest, params), byzantine),
};

/** What Min-Sum sends, in double precision. */
export function minSumUpdate(honest: Vectors, params: Params): Float64Array {
  const { direction = DIRECTION.default } = params;
  return withinHonest(honest, String(direction), total, params);
}

function total(distances: readonly number[]): number {
  return distances.reduce((sum, distance) => sum + distance, 0);
}
