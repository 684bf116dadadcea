import type { Params } from '../../shared/aggregation/rule.ts';
import { DIRECTION } from './directions.ts';
import type { UpdateAttack } from './scene.ts';
import { sameFromAll, type Vectors } from './vectors.ts';
import { BISECTION, largest, withinHonest } from './within-honest.ts';

/**
 * Min-Max: sends `mean - gamma * direction` with the longest gamma at which it is no farther from any honest update than
 * two honest ones are from each other.
 */
export const minMax: UpdateAttack = {
  name: 'MinMax',
  aliases: ['Min-Max'],
  summary: 'moves away from the honest mean as far as two honest updates are apart',
  source: 'Shejwalkar, Houmansadr, "Manipulating the Byzantine", NDSS 2021',
  parameters: [DIRECTION, ...BISECTION],
  kind: 'update',
  looksAt: 'honest',
  forge: ({ honest, byzantine }, params) => sameFromAll(minMaxUpdate(honest, params), byzantine),
};

/** What Min-Max sends, in double precision. */
export function minMaxUpdate(honest: Vectors, params: Params): Float64Array {
  const { direction = DIRECTION.default } = params;
  return withinHonest(honest, String(direction), largest, params);
}
