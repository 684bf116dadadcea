import type { AggregationEngine, UpdateRows } from '../aggregation/engine.ts';
import type { RuleBook } from '../aggregation/registry.ts';
import { splitPot } from '../aggregation/rewards.ts';
import type { Matrix } from '../aggregation/rule.ts';
import { scores as scoreRows } from '../aggregation/scores.ts';
import type { Layout } from '../fixed-point/layout.ts';
import { type Stepped, serverStep } from '../fixed-point/server-step.ts';
import { aggregateRound, type RoundAggregate } from './aggregate-round.ts';
import { type Manifest, scoreMethod } from './manifest.ts';
import type { RevealedPlan } from './plan.ts';

/** What of a job decides a round's numbers. */
export interface RoundTerms {
  /** Rule, sample cap, server step; pot and score. */
  readonly manifest: Pick<Manifest, 'aggregation' | 'rewards'>;
  /** How tensors lie in vectors. */
  readonly layout: Layout;
  /** What the rule's name stands for; what every party knows unless a simulation tries a rule of its own. */
  readonly book?: RuleBook;
}

/** The vectors that a round starts from. */
export interface RoundStart {
  /** The model before the round. */
  readonly model: Int32Array;
  /** What the server step kept of the rounds before; null before round 1, and for a step that keeps nothing. */
  readonly serverState: Int32Array | null;
}

/** A round's numbers, without a commitment to any of them but the updates. */
export interface ComputedRound extends RoundAggregate {
  /** Model, state and what was cut. */
  readonly stepped: Stepped;
  /** Scores in participant order. */
  readonly scores: readonly bigint[];
  /** What each participant earned in this round, in participant order. */
  readonly earned: readonly bigint[];
}

/** A round's admitted updates, as far as its numbers depend on them. */
export interface ComputedUpdates {
  /** What their senders state, in participant order, at least one. */
  readonly contributions: readonly { readonly samples: number }[];
  /** The updates in the same order, `layout.dimension` coordinates each. */
  readonly rows: UpdateRows;
  /** Their n x n exact inner products, where somebody has them already. */
  readonly products?: Matrix<bigint> | undefined;
  /** How many rounds old each one's parent is, in a buffered job; absent: all were trained from the newest model. */
  readonly stalenesses?: readonly number[] | undefined;
}

/**
 * The arithmetic of a round, which the round function (`transition`) commits to: the same bits whatever engine computes it.
 * Simulations that need no record call this alone.
 *
 * @param start - where the round starts from; it may still be on its way, for the updates are aggregated without it
 * @param withMatrixRoot - whether the updates are to be committed to by a matrix root as well
 * @throws RuleError if the rule cannot hold against its f with so few participants
 * @throws AggregationError if the updates cannot be aggregated exactly
 * @throws ServerStateError if the state before is not one that the server step could have left
 * @throws StalenessError if an age is none
 */
export async function computeRound(
  { manifest, layout, book }: RoundTerms,
  start: RoundStart | PromiseLike<RoundStart>,
  plan: Pick<RevealedPlan, 'updateBits' | 'seed'>,
  { contributions, rows, products, stalenesses }: ComputedUpdates,
  engine: AggregationEngine,
  withMatrixRoot: boolean,
): Promise<ComputedRound> {
  const { rule, sampleCap, serverStep: step } = manifest.aggregation;
  const samples = contributions.map((contribution) => Math.min(contribution.samples, sampleCap));
  const facts = { spec: rule, n: contributions.length, samples, plan, book, stalenesses };
  const aggregated = await aggregateRound(engine, rows, facts, products, withMatrixRoot);
  const { model, serverState } = await start;
  const stepped = serverStep(layout, { model, state: serverState }, aggregated.aggregate, plan.updateBits, step);
  const scores = scoreRows(aggregated.gram, aggregated.active, scoreMethod(manifest));
  const earned = splitPot(BigInt(manifest.rewards.pricePerRound), scores);
  return { ...aggregated, stepped, scores, earned };
}
