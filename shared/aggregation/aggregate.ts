import { AGGREGATE_FRACTION_BITS, WEIGHT_ONE } from '../fixed-point/constants.ts';
import { powerOfTwo } from '../fixed-point/power-of-two.ts';
import { checkLengths } from './check-rows.ts';
import { chooseUpdateBits, encodeFloats, type Fineness, finiteMagnitude } from './encode-floats.ts';
import type { AggregationEngine } from './engine.ts';
import { gramFor } from './gram-for.ts';
import { compilePipeline, planPipeline } from './pipeline.ts';
import { quantizeWeights } from './quantize-weights.ts';
import { parseRuleSpec, type RuleSpec, type RuleSpecInput } from './registry.ts';
import { exactScalar } from './scalar.ts';

/** What floats are aggregated by. */
export interface AggregateOptions extends RuleSpecInput {
  /** How fine the floats are encoded as integers. Default `auto`. */
  readonly updateBits?: Fineness;
  /** One whole, non-negative count an update, for the weighted mean; 1 each unless given. */
  readonly samples?: readonly number[];
  /** Where random numbers come from: 32 bytes, or any unsigned 32-bit integer. Default 0. */
  readonly seed?: Uint8Array | number;
  /** A further row that is no update: the server's for FLTrust, the centre to start from for CenteredClipping. */
  readonly reference?: ArrayLike<number>;
}

/** What an aggregation of floats by integers yields. */
export interface Aggregated {
  /** D coordinates: multiples of `step / 256`. */
  readonly output: Float64Array;
  /** Weights of the updates, multiples of 2^-30, summing to 1 for a mean; null for a rule that reduces coordinates. */
  readonly weights: number[] | null;
  /** The unit that the updates were rounded to, a power of two. */
  readonly step: number;
  /** Coordinates of updates that were cut to ±8191 steps. */
  readonly saturated: number;
  /** The rule, pre-aggregators, f and all parameters, as they were understood. */
  readonly spec: RuleSpec;
}

/**
 * Aggregates floats by the integer rules that decide rounds: encodes each update at one scale, runs the rule, and decodes
 * the aggregate. The same bits on every machine; inputs are not changed.
 *
 * SignMajority's output is signs, -1, 0 or 1, whatever the scale.
 *
 * @param engine - what walks over the coordinates
 * @param updates - n vectors of D finite numbers
 * @throws AggregationError when the updates, counts or update bits cannot be used, a NaN or an infinity included
 * @throws RuleError when the rule or a parameter is unknown, or (n, f) is beyond a breakdown bound
 */
export async function aggregateWith(
  engine: AggregationEngine,
  updates: readonly ArrayLike<number>[],
  options: AggregateOptions,
): Promise<Aggregated> {
  const spec = parseRuleSpec(options);
  const n = updates.length;
  const { reference, seed = 0 } = options;
  const vectors = reference === undefined ? updates : [...updates, reference];
  const dimension = checkLengths(vectors);
  const magnitudes = updates.map((values, i) => finiteMagnitude(`update ${i}`, values));
  const beside = reference === undefined ? [] : [finiteMagnitude('the reference', reference)];
  const pipeline = compilePipeline(spec, n, true);
  const fineness = options.updateBits ?? 'auto';
  const updateBits = chooseUpdateBits(fineness, fineness === 'auto' ? [...magnitudes, ...beside] : magnitudes);

  const all = engine.allocate(vectors.length, dimension);
  let saturated = 0;
  for (const [i, values] of vectors.entries()) saturated += encodeFloats(values, updateBits, all.rows[i] as Int16Array);

  const gram = await gramFor(engine, pipeline, all);
  const samples = options.samples ?? updates.map(() => 1);
  const facts = { updateBits, seed, reference: reference !== undefined };
  const plan = planPipeline(pipeline, () => gram, samples, exactScalar, facts);
  const weights = plan.kind === 'sum' ? quantizeWeights(plan) : null;
  const aggregate =
    plan.kind === 'reduce' ? await engine.reduce(all, plan) : await engine.combine(all, weights as readonly number[]);

  const step = 1 / powerOfTwo(updateBits);
  const isSigns = plan.kind === 'reduce' && plan.rule.yields === 'signs';
  const unit = (isSigns ? 1 : step) / powerOfTwo(AGGREGATE_FRACTION_BITS);
  return {
    output: Float64Array.from(aggregate, (value) => value * unit),
    weights: weights === null ? null : weights.slice(0, n).map((weight) => weight / WEIGHT_ONE),
    step,
    saturated,
    spec,
  };
}
