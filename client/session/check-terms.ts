import type { Hex } from '../../shared/bytes.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, int32Vector } from '../../shared/commitments/vector-trees.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { decodeManifest, manifestHash } from '../../shared/round/manifest.ts';
import { isSeedOf, type RoundPlan } from '../../shared/round/plan.ts';
import type { SampleDraw } from '../../shared/round/sampling.ts';
import { SessionError } from './session-error.ts';

/** What a client needs to know of its job from the chain; addresses in lower case. */
export interface ChainFacts {
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** Address of the job's RoundAnchor. */
  readonly anchor: Hex;
  /** The job. */
  readonly job: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Hash of what the manifest fixes in every plan. */
  readonly fixedPlanHash: Hex;
  /** Root over the manifest's table of tensors. */
  readonly tensorTableRoot: Hex;
  /** Model before round 1. */
  readonly genesisModelRoot: Hex;
  /** Who anchors the job's rounds. */
  readonly coordinator: Hex;
}

/**
 * Reads a job's terms from downloaded bytes and holds them to the chain.
 *
 * @param bytes - the manifest as it arrived
 * @param facts - what the chain says
 * @param participant - who wants to take part
 * @throws SessionError `session/manifest-mismatch`, `session/not-listed`; CodecError, ManifestError, LayoutError
 */
export function checkTerms(bytes: Uint8Array, facts: ChainFacts, participant: Hex): JobTerms {
  hold('manifestHash', facts.manifestHash, manifestHash(bytes));
  const terms = jobTerms(decodeManifest(bytes));
  hold('job', facts.job, terms.job);
  hold('fixedPlanHash', facts.fixedPlanHash, terms.fixedPlanHash);
  hold('tensorTableRoot', facts.tensorTableRoot, terms.tensorTableRoot);
  hold('genesisModelRoot', facts.genesisModelRoot, terms.manifest.initialModelRoot);
  const { admission } = terms.manifest.participation;
  if (admission !== 'open' && !admission.includes(participant)) {
    throw new SessionError(
      'session/not-listed',
      `${participant} is not on the job's list of participants: use a listed key, or ask the operator for a new job`,
      { participant },
    );
  }
  return terms;
}

/**
 * Holds a plan to the manifest: its round is one of the job's, and round 1 starts from the agreed model and scale.
 *
 * @throws SessionError `session/plan-mismatch`
 */
export function checkPlan({ manifest }: JobTerms, plan: RoundPlan): void {
  const isOfJob = plan.round >= 1 && plan.round <= manifest.rounds;
  const startsRight =
    plan.round !== 1 ||
    (plan.parentRoot === manifest.initialModelRoot && plan.updateBits === manifest.initialUpdateBits);
  if (isOfJob && startsRight) return;
  throw new SessionError(
    'session/plan-mismatch',
    `the plan of round ${plan.round} does not follow from the manifest: the coordinator must open rounds 1 to ${manifest.rounds}, the first from model ${manifest.initialModelRoot}`,
    { ...plan },
  );
}

/**
 * Holds a plan to the one before: attempts count for the whole job and never fall, and under one attempt rounds never do,
 * also where the chain has taken rounds back.
 *
 * @param latest - the plan that was worked on last, null before the first
 * @throws SessionError `session/round-backwards`
 */
export function checkOrder(latest: RoundPlan | null, plan: RoundPlan): void {
  if (latest === null || plan.attempt > latest.attempt) return;
  if (plan.attempt === latest.attempt && plan.round >= latest.round) return;
  throw new SessionError(
    'session/round-backwards',
    `round ${plan.round}, attempt ${plan.attempt}, was opened after round ${latest.round}, attempt ${latest.attempt}: a job does not go back; ask its operator`,
    { round: plan.round, attempt: plan.attempt, after: { round: latest.round, attempt: latest.attempt } },
  );
}

/**
 * Holds a draw to the manifest: its seed is one that the job committed to and could reveal before this round. Which of
 * the seeds revealed was the last one stands in the chain's record of the round before.
 *
 * @throws SessionError `session/draw-mismatch`
 */
export function checkDraw({ manifest }: JobTerms, plan: RoundPlan, { seedIndex, seed }: SampleDraw): void {
  const { sample } = manifest.participation;
  // The record of round r reveals the seed at r + attempt, so before round r at least r - 1 seeds were revealed.
  const isInTime = plan.round === 1 ? seedIndex === 0 : seedIndex >= plan.round - 1 && seedIndex < plan.seedIndex;
  if (sample && isInTime && isSeedOf(manifest.seedCommitment, seedIndex, seed)) return;
  throw new SessionError(
    'session/draw-mismatch',
    `the draw of round ${plan.round} is not from a seed that the job committed to: the coordinator chooses who is asked`,
    { round: plan.round, attempt: plan.attempt, seedIndex, seed },
  );
}

/**
 * Reads a model from downloaded bytes, if it is the one asked for.
 *
 * @param bytes - little-endian int32, as they arrived
 * @param modelRoot - the model asked for
 * @throws SessionError `session/model-mismatch`
 */
export function checkModel({ layout }: JobTerms, bytes: Uint8Array, modelRoot: Hex): Int32Array {
  const found = bytes.length === layout.dimension * 4 ? blockRoot(TREE.model, int32Vector(bytes)) : undefined;
  if (found === modelRoot) return int32Vector(bytes);
  throw new SessionError(
    'session/model-mismatch',
    `what was sent as model ${modelRoot} is another: nothing is trained on it; the coordinator's blob is damaged`,
    { modelRoot, found: found ?? `${bytes.length} bytes` },
  );
}

function hold(field: string, expected: Hex, found: Hex): void {
  if (expected === found) return;
  throw new SessionError(
    'session/manifest-mismatch',
    `the coordinator's manifest has ${field} ${found} but the chain says ${expected}: it is not this job's manifest`,
    { field, expected, found },
  );
}
