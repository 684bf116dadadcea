import type { AggregationEngine, UpdateRows } from '../aggregation/engine.ts';
import type { Matrix } from '../aggregation/rule.ts';
import { type Hex, toHex } from '../bytes.ts';
import { type Contribution, contributionsRoot } from '../commitments/contribution.ts';
import { sha256Digest } from '../commitments/hashing.ts';
import { TREE } from '../commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../commitments/number-trees.ts';
import type { RoundRecord } from '../commitments/record.ts';
import { rewardsTree } from '../commitments/rewards-tree.ts';
import { blockRoot } from '../commitments/vector-trees.ts';
import { serverStateRoot } from '../fixed-point/server-state.ts';
import { computeRound } from './compute-round.ts';
import { accrue, type CumulativeRewards, totalRewards } from './cumulative-rewards.ts';
import { encodeDocument } from './document.ts';
import type { JobTerms } from './job-terms.ts';
import type { RevealedPlan } from './plan.ts';
import { stalenessesOf } from './staleness.ts';

/** An update that passed the gate, with what its sender signed. */
export interface AdmittedUpdate {
  /** The signed facts. */
  readonly contribution: Contribution;
  /** The update, `layout.dimension` coordinates. */
  readonly update: Int16Array;
}

/** The updates of a round, wherever they are kept, with what their senders signed. */
export interface AdmittedUpdates {
  /** The signed facts in participant order, at least one. */
  readonly contributions: readonly Contribution[];
  /** The updates in the same order, `layout.dimension` coordinates each. */
  readonly rows: UpdateRows;
  /** Their n x n exact inner products, where somebody has them already. */
  readonly products?: Matrix<bigint> | undefined;
  /** In a buffered job: roots of the models that they may be trained from, the newest first. It decides how old each is. */
  readonly parents?: readonly Hex[] | undefined;
}

/**
 * Admitted updates that are in memory, in participant order.
 *
 * @param parents - in a buffered job: roots of the models that they may be trained from, the newest first
 */
export function inMemory(admitted: readonly AdmittedUpdate[], parents?: readonly Hex[]): AdmittedUpdates {
  return {
    contributions: admitted.map(({ contribution }) => contribution),
    rows: { place: 'memory', rows: admitted.map(({ update }) => update) },
    parents,
  };
}

/** Where a round starts from. */
export interface RoundParent {
  /** The model before the round. */
  readonly model: Int32Array;
  /** Its root. */
  readonly modelRoot: Hex;
  /** What the server step kept of the rounds before; null before round 1, and for a step that keeps nothing. */
  readonly serverState: Int32Array | null;
  /** Cumulative rewards before the round. */
  readonly rewards: CumulativeRewards;
}

/** Everything the round function returns; all of it is committed to by the record. */
export interface RoundOutcome {
  /** What the coordinator anchors. */
  readonly record: RoundRecord;
  /** Bytes of the round's document; their SHA-256 is the record's location. */
  readonly document: Uint8Array;
  /** The model after the round. */
  readonly model: Int32Array;
  /** What the server step keeps for the next round, null if nothing; the record has its root. */
  readonly serverState: Int32Array | null;
  /** The aggregate, units of 2^-(updateBits + 8). */
  readonly aggregate: Int32Array;
  /** Integer weights of the updates in units of 2^-30, null for a rule that reduces coordinates. */
  readonly weights: readonly number[] | null;
  /** Whether each update has a part in the aggregate. */
  readonly active: readonly boolean[];
  /** Scores in participant order. */
  readonly scores: readonly bigint[];
  /** What each participant earned in this round, in participant order. */
  readonly earned: readonly bigint[];
  /** Cumulative rewards after the round. */
  readonly rewards: CumulativeRewards;
  /** Coordinates of model and momentum cut to int32. */
  readonly saturated: number;
}

/** The round function, or what stands in for it where a simulation lets a coordinator lie. */
export type RoundFunction = typeof transition;

/**
 * The round: a function over integers, the same bits on every machine, whatever engine computes it.
 *
 * `(model, state, plan, admitted updates) -> (model', state', aggregate, scores, rewards)`, with every input and output
 * committed to. Coordinator, auditor, watcher and simulations all call this and nothing else.
 *
 * @param terms - what the job fixes
 * @param parent - where the round starts from; it may still be on its way, for the updates are aggregated without it
 * @param plan - the round's plan, its seed revealed
 * @param admitted - the admitted updates
 * @param engine - walks over them
 * @throws RuleError if the rule cannot hold against its f with so few participants
 * @throws AggregationError if the updates cannot be aggregated exactly
 * @throws ServerStateError if the state before is not one that the server step could have left
 * @throws StalenessError if in a buffered job an update was trained from none of the models that it may be
 */
export async function transition(
  terms: JobTerms,
  parent: RoundParent | PromiseLike<RoundParent>,
  plan: RevealedPlan,
  { contributions, rows, products, parents }: AdmittedUpdates,
  engine: AggregationEngine,
): Promise<RoundOutcome> {
  const { buffer } = terms.manifest.participation;
  const stalenesses = buffer && stalenessesOf(parents ?? [], contributions);
  const updates = { contributions, rows, products, stalenesses };
  const computed = await computeRound(terms, parent, plan, updates, engine, true);
  const { aggregate, weights, active, gram, matrixRoot, scores, earned } = computed;
  const { model, state: serverState, saturated } = computed.stepped;
  const { modelRoot: parentModelRoot, rewards: earlier } = await parent;
  const rewards = accrue(
    earlier,
    contributions.map(({ participant }) => participant),
    earned,
  );

  const document = encodeDocument({ job: terms.job, plan, contributions, gram, weights, scores, rewards });
  const record: RoundRecord = {
    job: terms.job,
    round: plan.round,
    attempt: plan.attempt,
    participants: contributions.length,
    updateBits: plan.updateBits,
    seedIndex: plan.seedIndex,
    seed: plan.seed,
    fixedPlanHash: terms.fixedPlanHash,
    tensorTableRoot: terms.tensorTableRoot,
    parentModelRoot,
    modelRoot: blockRoot(TREE.model, model),
    serverStateRoot: serverStateRoot(serverState),
    aggregateRoot: blockRoot(TREE.aggregate, aggregate),
    matrixRoot: toHex(matrixRoot as Uint8Array),
    contributionsRoot: contributionsRoot(contributions),
    gramRoot: gramRoot(gram),
    weightsRoot: weightsRoot(weights ?? contributions.map(() => 0)),
    scoresRoot: scoresRoot(scores),
    rewardsRoot: rewardsTree(rewards).root,
    rewardsTotal: totalRewards(rewards),
    location: toHex(sha256Digest(document)),
  };
  return { record, document, model, serverState, aggregate, weights, active, scores, earned, rewards, saturated };
}
