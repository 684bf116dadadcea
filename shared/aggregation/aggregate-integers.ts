import { AGGREGATE_FRACTION_BITS, MAX_UPDATE, WEIGHT_ONE } from '../fixed-point/constants.ts';
import { roundDiv } from '../fixed-point/round-div.ts';
import { AggregationError } from './aggregation-error.ts';
import { apportion } from './apportion.ts';
import { checkUpdates } from './check-rows.ts';
import { gramMatrix } from './gram.ts';
import { mixValues } from './mixing.ts';
import { compilePipeline, planPipeline } from './pipeline.ts';
import type { RuleSpec } from './registry.ts';
import type { CoordinateRule, Matrix, Mixing } from './rule.ts';
import { exactScalar } from './scalar.ts';

/** Aggregate units in one update unit. */
const FINER = 2 ** AGGREGATE_FRACTION_BITS;

/** What an aggregation of integer updates yields. */
export interface IntegerAggregate {
  /** D coordinates in units of 2^-(updateBits + 8). */
  readonly aggregate: Int32Array;
  /** Integer weights of the updates, summing to 2^30; null for a rule that reduces coordinates. */
  readonly weights: number[] | null;
  /** Whether each update had a weight above zero; all true for a rule that reduces coordinates. */
  readonly active: boolean[];
  /** Exact n x n inner products of the updates, when the pipeline needed them; `appendAggregate` completes them. */
  readonly gram: Matrix<bigint> | null;
}

/**
 * Aggregates integer updates: the same bits on every machine.
 *
 * Coordinate rules round `256 * reduce / denominator` once; weighted sums round `sum_i w_i q_i / 2^22` once, their
 * weights being the rule's shares apportioned to 2^30 by largest remainder.
 *
 * @param rows - n updates in participant order, |q| <= 8191
 * @param spec - rule, pre-aggregators, f and parameters
 * @param samples - one count an update; only the weighted mean uses them
 * @throws AggregationError when the updates or counts cannot be aggregated
 * @throws RuleError when the rule is unknown or (n, f) is beyond a breakdown bound
 */
export function aggregateIntegers(
  rows: readonly Int16Array[],
  spec: RuleSpec,
  samples: readonly number[],
): IntegerAggregate {
  const dimension = checkUpdates(rows);
  const pipeline = compilePipeline(spec, rows.length, true);
  let gram: Matrix<bigint> | null = null;
  const gramOf = (): Matrix<bigint> => {
    gram = gramMatrix(rows);
    return gram;
  };
  const plan = planPipeline(pipeline, gramOf, samples, exactScalar);
  if (plan.kind === 'reduce') {
    const aggregate = reduceCoordinates(rows, dimension, plan.rule, pipeline.spec.f, plan.mixing);
    return { aggregate, weights: null, active: rows.map(() => true), gram };
  }
  const weights = apportion(plan.shares, BigInt(WEIGHT_ONE)).map(Number);
  const active = weights.map((weight) => weight > 0);
  return { aggregate: sumWeighted(rows, dimension, weights), weights, active, gram };
}

function sumWeighted(rows: readonly Int16Array[], dimension: number, weights: readonly number[]): Int32Array {
  // The weights sum to 2^30 and |q| < 2^13, so every partial sum stays below 2^43: exact.
  const sums = new Float64Array(dimension);
  for (const [i, row] of rows.entries()) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    for (let at = 0; at < dimension; at += 1) sums[at] = (sums[at] as number) + weight * (row[at] as number);
  }
  return Int32Array.from(sums, (sum) => roundDiv(sum, WEIGHT_ONE / FINER));
}

function reduceCoordinates(
  rows: readonly Int16Array[],
  dimension: number,
  rule: CoordinateRule,
  f: number,
  mixing: Mixing | null,
): Int32Array {
  const n = rows.length;
  const mixed = mixing?.entries.length ?? n;
  const denominator = rule.denominator(mixed, f) * (mixing?.denominator ?? 1);
  // A rule's value lies among the updates', so |reduce| <= 8191 * denominator; roundDiv doubles 256 times that.
  if (2 * FINER * (MAX_UPDATE + 1) * denominator > Number.MAX_SAFE_INTEGER) {
    const sentence = `a denominator of ${denominator} is too large for exact sums: admit fewer updates or mix less often`;
    throw new AggregationError('aggregation/too-large', sentence, { n, denominator });
  }
  const column = new Float64Array(n);
  const values = mixing === null ? column : new Float64Array(mixed);
  const aggregate = new Int32Array(dimension);
  for (let at = 0; at < dimension; at += 1) {
    for (let i = 0; i < n; i += 1) column[i] = (rows[i] as Int16Array)[at] as number;
    if (mixing !== null) mixValues(mixing, column, values);
    aggregate[at] = roundDiv(rule.reduce(values, mixed, f) * FINER, denominator);
  }
  return aggregate;
}
