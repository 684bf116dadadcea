import { AggregationError } from './aggregation-error.ts';
import { checkLengths } from './check-rows.ts';
import { gramFloats } from './gram.ts';
import { mixValues } from './mixing.ts';
import { compilePipeline, planPipeline } from './pipeline.ts';
import { reductionDenominator } from './reduction.ts';
import type { RuleSpec } from './registry.ts';
import type { CoordinateRule, Mixing } from './rule.ts';
import { floatScalar } from './scalar.ts';

/** How floats are aggregated. */
export interface FloatOptions {
  /** One whole, non-negative count an update, for the weighted mean; 1 each unless given. */
  readonly samples?: readonly number[];
  /**
   * False computes beyond a rule's breakdown bound too, where its formula still has a value: for comparison with
   * libraries that do not refuse. Default true.
   */
  readonly enforceBound?: boolean;
  /** Where random numbers come from: 32 bytes, or any unsigned 32-bit integer. Default 0. */
  readonly seed?: Uint8Array | number;
  /** A further row that is no update, for a rule that compares with one. */
  readonly reference?: readonly number[] | Float64Array;
}

/** What an aggregation of floats yields. */
export interface FloatAggregate {
  /** D coordinates in the updates' units. */
  readonly output: Float64Array;
  /** Weights of the updates, summing to 1 for a mean; null for a rule that reduces coordinates. */
  readonly weights: number[] | null;
}

/**
 * Aggregates float64 updates by the same rules as `aggregateIntegers`: the reference that other libraries and the
 * integer path are compared with. No round is decided by it.
 *
 * @param rows - n vectors of finite numbers
 * @param spec - rule, pre-aggregators, f and parameters
 * @throws AggregationError when the updates or counts cannot be aggregated, a NaN or an infinity included
 * @throws RuleError when the rule is unknown or (n, f) is beyond a breakdown bound
 */
export function aggregateFloats(
  rows: readonly (readonly number[] | Float64Array)[],
  spec: RuleSpec,
  options: FloatOptions = {},
): FloatAggregate {
  const { reference } = options;
  const all = reference === undefined ? rows : [...rows, reference];
  const dimension = checkLengths(all);
  for (const [i, row] of rows.entries()) checkFinite(`update ${i}`, row);
  if (reference !== undefined) checkFinite('the reference', reference);
  const samples = options.samples ?? rows.map(() => 1);
  const pipeline = compilePipeline(spec, rows.length, options.enforceBound ?? true);
  const facts = { updateBits: 0, seed: options.seed ?? 0, reference: reference !== undefined };
  const plan = planPipeline(pipeline, () => gramFloats(all), samples, floatScalar, facts);
  if (plan.kind === 'reduce') {
    const output = reduceCoordinates(rows, dimension, plan.rule, plan.f, plan.mixing);
    checkFinite('the aggregate', output);
    return { output, weights: null };
  }
  const { shares, whole } = plan;
  const output = new Float64Array(dimension);
  for (const [i, row] of all.entries()) {
    const share = shares[i] as number;
    if (share === 0) continue;
    for (let at = 0; at < dimension; at += 1) output[at] = (output[at] as number) + share * (row[at] as number);
  }
  for (let at = 0; at < dimension; at += 1) output[at] = (output[at] as number) / whole;
  checkFinite('the aggregate', output);
  return { output, weights: shares.slice(0, rows.length).map((share) => share / whole) };
}

function checkFinite(what: string, values: ArrayLike<number>): void {
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isFinite(values[at])) continue;
    const sentence = `${what} has ${values[at]} at coordinate ${at}: only finite numbers can be aggregated`;
    throw new AggregationError('aggregation/non-finite', sentence, { what, coordinate: at });
  }
}

function reduceCoordinates(
  rows: readonly (readonly number[] | Float64Array)[],
  dimension: number,
  rule: CoordinateRule,
  f: number,
  mixing: Mixing | null,
): Float64Array {
  const n = rows.length;
  const mixed = mixing?.entries.length ?? n;
  const denominator = reductionDenominator(rule, mixed, f, mixing);
  const column = new Float64Array(n);
  const values = mixing === null ? column : new Float64Array(mixed);
  const output = new Float64Array(dimension);
  for (let at = 0; at < dimension; at += 1) {
    for (let i = 0; i < n; i += 1) column[i] = rows[i]?.[at] as number;
    if (mixing !== null) mixValues(mixing, column, values);
    output[at] = rule.reduce(values, mixed, f) / denominator;
  }
  return output;
}
