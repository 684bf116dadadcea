import { AGGREGATE_FRACTION_BITS, MAX_UPDATE, WEIGHT_ONE } from '../fixed-point/constants.ts';
import { roundDiv } from '../fixed-point/round-div.ts';
import { checkUpdates } from './check-rows.ts';
import { gramMatrix } from './gram.ts';
import { mixValues } from './mixing.ts';
import { compilePipeline, planPipeline } from './pipeline.ts';
import { quantizeWeights } from './quantize-weights.ts';
import { checkExact, reductionDenominator } from './reduction.ts';
import type { RuleSpec } from './registry.ts';
import type { CoordinateRule, Matrix, Mixing } from './rule.ts';
import { exactScalar } from './scalar.ts';

/** Aggregate units in one update unit. */
const FINER = 2 ** AGGREGATE_FRACTION_BITS;

/** Largest magnitude of an aggregate's coordinate. */
const MOST = MAX_UPDATE * FINER;

/** What an aggregation of integers has to know beside the updates. */
export interface IntegerOptions {
  /** Scale of the updates, units of 2^-updateBits: lengths among the parameters are real. Default 0. */
  readonly updateBits?: number;
  /** The round's seed: 32 bytes, or any unsigned 32-bit integer. Default 0. */
  readonly seed?: Uint8Array | number;
  /** A further row that is no update, for a rule that compares with one. */
  readonly reference?: Int16Array;
}

/** What an aggregation of integer updates yields. */
export interface IntegerAggregate {
  /** D coordinates in units of 2^-(updateBits + 8). */
  readonly aggregate: Int32Array;
  /**
   * Integer weights of the updates in units of 2^-30, summing to 2^30 for a mean; null for a rule that reduces
   * coordinates. A reference has none here.
   */
  readonly weights: number[] | null;
  /** Whether each update entered: had a weight above zero, or a part in what was reduced. */
  readonly active: boolean[];
  /**
   * Exact n x n inner products of the updates, when the pipeline needed them and there was no reference;
   * `appendAggregate` completes them.
   */
  readonly gram: Matrix<bigint> | null;
}

/**
 * Aggregates integer updates: the same bits on every machine.
 *
 * Coordinate rules round `256 * reduce / denominator` once; weighted sums round `sum_i w_i q_i / 2^22` once, their
 * weights being the rule's shares in units of 2^-30 by largest remainder. What lies beyond an update's range, as only a
 * rule that lengthens updates can bring about, is cut to it.
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
  { updateBits = 0, seed = 0, reference }: IntegerOptions = {},
): IntegerAggregate {
  const all = reference === undefined ? rows : [...rows, reference];
  const dimension = checkUpdates(all);
  const pipeline = compilePipeline(spec, rows.length, true);
  let gram: Matrix<bigint> | null = null;
  const gramOf = (): Matrix<bigint> => {
    gram = gramMatrix(all);
    return gram;
  };
  const facts = { updateBits, seed, reference: reference !== undefined };
  const plan = planPipeline(pipeline, gramOf, samples, exactScalar, facts);
  if (plan.kind === 'reduce') {
    const aggregate = reduceCoordinates(rows, dimension, plan.rule, plan.f, plan.mixing);
    return { aggregate, weights: null, active: plan.active, gram };
  }
  const weights = quantizeWeights(plan);
  const aggregate = sumWeighted(all, dimension, weights);
  const own = weights.slice(0, rows.length);
  return { aggregate, weights: own, active: own.map((weight) => weight > 0), gram: reference ? null : gram };
}

/** The weighted sum of updates, each coordinate rounded once and cut to the range of an update; see `aggregateIntegers`. */
export function sumWeighted(rows: readonly Int16Array[], dimension: number, weights: readonly number[]): Int32Array {
  // The weights sum to 2^39 at most and |q| < 2^13, so every partial sum stays below 2^52: exact.
  const sums = new Float64Array(dimension);
  for (const [i, row] of rows.entries()) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    for (let at = 0; at < dimension; at += 1) sums[at] = (sums[at] as number) + weight * (row[at] as number);
  }
  return Int32Array.from(sums, (sum) => Math.max(-MOST, Math.min(MOST, roundDiv(sum, WEIGHT_ONE / FINER))));
}

/**
 * Reduces every coordinate, mixed first where there is a mixture, and rounds it once; see `aggregateIntegers`.
 *
 * @throws AggregationError `aggregation/too-large`
 */
export function reduceCoordinates(
  rows: readonly Int16Array[],
  dimension: number,
  rule: CoordinateRule,
  f: number,
  mixing: Mixing | null,
): Int32Array {
  const n = rows.length;
  const mixed = mixing?.entries.length ?? n;
  checkExact(rule, mixed, f, mixing);
  const denominator = reductionDenominator(rule, mixed, f, mixing);
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
