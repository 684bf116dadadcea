import { compilePipeline, needsGram, type Plan, planPipeline } from '../aggregation/pipeline.ts';
import { quantizeWeights } from '../aggregation/quantize-weights.ts';
import type { RuleBook, RuleSpec } from '../aggregation/registry.ts';
import type { Matrix, Shares } from '../aggregation/rule.ts';
import { exactScalar } from '../aggregation/scalar.ts';
import { fromHex } from '../bytes.ts';
import type { RevealedPlan } from './plan.ts';
import { DISCOUNT_BITS, stalenessDiscount } from './staleness.ts';

/** What decides a round's weights beside the updates. */
export interface WeightFacts {
  /** Rule, pre-aggregators, f and parameters. */
  readonly spec: RuleSpec;
  /** Updates of the round. */
  readonly n: number;
  /** One count an update, capped; only the weighted mean uses them. */
  readonly samples: readonly number[];
  /** The round's plan: its scale, and the seed of what is drawn. */
  readonly plan: Pick<RevealedPlan, 'updateBits' | 'seed'>;
  /** What the spec's names stand for; what every party knows unless a simulation says otherwise. */
  readonly book?: RuleBook | undefined;
  /** How many rounds old each update's parent is; absent: none is. Only the weighted mean discounts by it. */
  readonly stalenesses?: readonly number[] | undefined;
}

/** What is left of a rule once it has seen the inner products. */
export interface RoundWeights {
  /** Integer weights of the updates in units of 2^-30, null for a rule that reduces coordinates. */
  readonly weights: readonly number[] | null;
  /** Whether each update has a part in the aggregate. */
  readonly active: readonly boolean[];
  /** How coordinates are reduced, for a rule that does. */
  readonly reduction: Extract<Plan<bigint>, { readonly kind: 'reduce' }> | null;
}

/**
 * Whether a rule has to see the inner products of n updates before it can say anything.
 *
 * @throws RuleError when the rule is unknown or (n, f) is beyond a breakdown bound
 */
export function looksAtGram({ spec, n, book }: Pick<WeightFacts, 'spec' | 'n' | 'book'>): boolean {
  return needsGram(compilePipeline(spec, n, true, book));
}

/**
 * What a round's rule makes of its inner products: a function of what the round commits to, so that it can be checked
 * without any update.
 *
 * @param gram - n x n exact inner products; looked at only by rules that {@link looksAtGram}
 * @throws RuleError when the rule is unknown or (n, f) is beyond a breakdown bound
 * @throws AggregationError when counts or matrix cannot be worked with exactly
 * @throws StalenessError when an age is none
 */
export function roundWeights(
  { spec, n, samples, plan, book, stalenesses }: WeightFacts,
  gram: Matrix<bigint>,
): RoundWeights {
  const pipeline = compilePipeline(spec, n, true, book);
  const facts = { updateBits: plan.updateBits, seed: fromHex(plan.seed, 32) };
  const found = planPipeline(pipeline, () => gram, samples, exactScalar, facts);
  if (found.kind === 'reduce') return { weights: null, active: found.active, reduction: found };
  const isDiscounted = stalenesses !== undefined && pipeline.rule.sees === 'samples';
  const weights = quantizeWeights(isDiscounted ? discounted(found, stalenesses) : found);
  return { weights, active: weights.map((weight) => weight > 0), reduction: null };
}

/**
 * Shares by age, of the same whole: `samples s(tau)` of all samples, as FedBuff has it, which divides by the size of the
 * buffer and not by the sum of the discounts. So a round of old updates moves the model less.
 */
function discounted({ shares, whole }: Shares<bigint>, stalenesses: readonly number[]): Shares<bigint> {
  const counted = shares.map((share, index) => share * BigInt(stalenessDiscount(stalenesses[index] as number)));
  return { shares: counted, whole: whole << BigInt(DISCOUNT_BITS) };
}
