import type { AggregationEngine, UpdateRows } from './engine.ts';
import { needsGram, type Pipeline } from './pipeline.ts';
import type { Matrix } from './rule.ts';

/**
 * The inner products that a pipeline looks at: all of them, one update's, or none. Where a round needs them for its
 * scores it computes all anyway; this is for an aggregate alone.
 */
export async function gramFor(
  engine: AggregationEngine,
  pipeline: Pipeline,
  rows: UpdateRows,
): Promise<Matrix<bigint>> {
  if (!needsGram(pipeline)) return [];
  const { rule, pre, spec } = pipeline;
  const pivot = rule.sees === 'gram' && pre.length === 0 ? rule.pivot?.(spec.params) : undefined;
  return pivot === undefined ? engine.gram(rows) : engine.gramRow(rows, pivot);
}
