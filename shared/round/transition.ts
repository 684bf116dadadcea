import { aggregateIntegers } from '../aggregation/aggregate-integers.ts';
import { appendAggregate, gramMatrix } from '../aggregation/gram.ts';
import { splitPot } from '../aggregation/rewards.ts';
import { scores as scoreRows } from '../aggregation/scores.ts';
import { type Hex, toHex, ZERO_HASH } from '../bytes.ts';
import { type Contribution, contributionsRoot } from '../commitments/contribution.ts';
import { sha256Digest } from '../commitments/hashing.ts';
import { TREE } from '../commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../commitments/number-trees.ts';
import type { RoundRecord } from '../commitments/record.ts';
import { rewardsTree } from '../commitments/rewards-tree.ts';
import { blockRoot, matrixTree } from '../commitments/vector-trees.ts';
import { serverStep } from '../fixed-point/server-step.ts';
import { accrue, type CumulativeRewards, totalRewards } from './cumulative-rewards.ts';
import { encodeDocument } from './document.ts';
import type { JobTerms } from './job-terms.ts';
import type { RevealedPlan } from './plan.ts';

/** An update that passed the gate, with what its sender signed. */
export interface AdmittedUpdate {
  /** The signed facts. */
  readonly contribution: Contribution;
  /** The update, `layout.dimension` coordinates. */
  readonly update: Int16Array;
}

/** Where a round starts from. */
export interface RoundParent {
  /** The model before the round. */
  readonly model: Int32Array;
  /** Its root. */
  readonly modelRoot: Hex;
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
  /** The aggregate, units of 2^-(updateBits + 8). */
  readonly aggregate: Int32Array;
  /** Scores in participant order. */
  readonly scores: readonly bigint[];
  /** What each participant earned in this round, in participant order. */
  readonly earned: readonly bigint[];
  /** Cumulative rewards after the round. */
  readonly rewards: CumulativeRewards;
  /** Model coordinates cut to int32. */
  readonly saturated: number;
}

/**
 * The round: a pure function over integers, the same bits on every machine.
 *
 * `(model, plan, admitted updates) -> (model', aggregate, scores, rewards)`, with every input and output committed to.
 * Coordinator, auditor, watcher and simulations all call this and nothing else.
 *
 * @param terms - what the job fixes
 * @param parent - where the round starts from
 * @param plan - the round's plan, its seed revealed
 * @param admitted - the admitted updates in participant order, at least one
 * @throws RuleError if the rule cannot hold against its f with so few participants
 */
export function transition(
  terms: JobTerms,
  parent: RoundParent,
  plan: RevealedPlan,
  admitted: readonly AdmittedUpdate[],
): RoundOutcome {
  const { manifest, layout } = terms;
  const { rule, sampleCap, serverStep: step } = manifest.aggregation;
  const rows = admitted.map(({ update }) => update);
  const contributions = admitted.map(({ contribution }) => contribution);
  const samples = contributions.map((contribution) => Math.min(contribution.samples, sampleCap));

  const { aggregate, weights, active, gram: rowGram } = aggregateIntegers(rows, rule, samples);
  const next = serverStep(layout, parent.model, aggregate, plan.updateBits, step);

  const gram = rowGram ? appendAggregate(rowGram, rows, aggregate) : gramMatrix(rows, aggregate);
  const scores = scoreRows(gram, active);
  const earned = splitPot(BigInt(manifest.rewards.pricePerRound), scores);
  const rewards = accrue(
    parent.rewards,
    contributions.map(({ participant }) => participant),
    earned,
  );

  const document = encodeDocument({ job: terms.job, plan, contributions, gram, weights, scores, rewards });
  const record: RoundRecord = {
    job: terms.job,
    round: plan.round,
    attempt: plan.attempt,
    participants: admitted.length,
    updateBits: plan.updateBits,
    seedIndex: plan.seedIndex,
    seed: plan.seed,
    fixedPlanHash: terms.fixedPlanHash,
    tensorTableRoot: terms.tensorTableRoot,
    parentModelRoot: parent.modelRoot,
    modelRoot: blockRoot(TREE.model, next.vector),
    // FedAvg keeps no state; steps that do commit to it here.
    serverStateRoot: ZERO_HASH,
    aggregateRoot: blockRoot(TREE.aggregate, aggregate),
    matrixRoot: toHex(matrixTree(rows).root),
    contributionsRoot: contributionsRoot(contributions),
    gramRoot: gramRoot(gram),
    weightsRoot: weightsRoot(weights ?? rows.map(() => 0)),
    scoresRoot: scoresRoot(scores),
    rewardsRoot: rewardsTree(rewards).root,
    rewardsTotal: totalRewards(rewards),
    location: toHex(sha256Digest(document)),
  };
  return { record, document, model: next.vector, aggregate, scores, earned, rewards, saturated: next.saturated };
}
