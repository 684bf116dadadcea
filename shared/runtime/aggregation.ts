import { type Aggregated, type AggregateOptions, aggregateWith } from '../aggregation/aggregate.ts';
import type { AggregationEngine } from '../aggregation/engine.ts';
import { createEngine } from './engine/create-engine.ts';

export type { Aggregated, AggregateOptions } from '../aggregation/aggregate.ts';

let engine: AggregationEngine | undefined;

/**
 * Aggregates float vectors by any rule of the registry, in the integers that decide rounds: the same bits on every machine.
 * What the package offers as `fedanchor/aggregation`; it needs no coordinator and no chain.
 *
 * @param updates - n vectors of D finite numbers; they are not changed
 * @param options - rule, pre-aggregators, f, parameters, and how fine to encode
 * @throws AggregationError when the updates, counts or update bits cannot be used, a NaN or an infinity included
 * @throws RuleError when the rule or a parameter is unknown, or (n, f) is beyond a breakdown bound
 *
 * @example
 * ```ts
 * const { output } = await aggregate([[1, 2], [1, 3], [90, -7]], { rule: 'Median', f: 1 });
 * ```
 */
export function aggregate(updates: readonly ArrayLike<number>[], options: AggregateOptions): Promise<Aggregated> {
  // One for the process: its threads start with the first call and do not keep the process alive.
  engine ??= createEngine();
  return aggregateWith(engine, updates, options);
}
