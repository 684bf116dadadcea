import { toHex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';
import { encodeUpdate, largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { wireFormat } from '../../shared/wire/wire-format.ts';
import type { Carry } from '../encoding/carry.ts';
import { openCarryOver } from '../encoding/carry-over.ts';
import type { Log } from '../log.ts';
import type { PrivacyGuard } from '../privacy/privacy-guard.ts';
import { roundSeeds } from '../session/round-seeds.ts';
import type { Learnt } from '../session/state.ts';
import type { LocalTrainer } from '../tasks/local-trainer.ts';
import type { TrainingProgress, TrainingResult } from '../trainers/trainer.ts';
import { tellProgress } from './tell-progress.ts';

/** An update and what there is to state about it. */
export interface TrainedUpdate {
  /** The statement, not yet signed. */
  readonly statement: UpdateStatement;
  /** The update, little-endian int16. */
  readonly bytes: Uint8Array;
}

/** What a round's training works with, beside the round. */
export interface TrainUpdateOptions {
  /** With the job, round and attempt it decides every random choice. */
  readonly seed: Uint8Array;
  /** What is carried from round to round. */
  readonly carry: Carry;
  /** Clips the update and covers it with noise. Error feedback, which would take the noise out again, is off beside it. */
  readonly privacy?: PrivacyGuard | undefined;
  /** Told how far the training is. */
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Stops the training: the round is over, or the client is told to stop. */
  readonly signal: AbortSignal;
}

/** Most samples that a statement can carry. */
const MOST_SAMPLES = 0xffff_ffff;

/**
 * Trains one round from a verified model and encodes what was learnt for the same round.
 *
 * @throws TrainerError, LayoutError, CarryError, PrivacyError
 */
export async function trainUpdate(
  terms: JobTerms,
  local: LocalTrainer,
  plan: RoundPlan,
  model: Int32Array,
  options: TrainUpdateOptions,
): Promise<TrainedUpdate> {
  const result = await learn(terms, local, plan, model, options);
  return encodeLearnt(terms, local, { plan, result }, plan, options);
}

/**
 * Trains one round from a verified model, with worker momentum if the trainer asks for it.
 *
 * @throws TrainerError, CarryError, PrivacyError
 */
export async function learn(
  { job, layout }: JobTerms,
  { trainer, seed: publicSeed }: LocalTrainer,
  plan: RoundPlan,
  model: Int32Array,
  { seed, carry, privacy, onProgress, log, signal }: TrainUpdateOptions,
): Promise<TrainingResult> {
  const { round, attempt, updateBits } = plan;
  const seeds = roundSeeds(publicSeed ?? seed, { job, round, attempt });
  // What cannot be published is not trained.
  await privacy?.admit({ job, round, attempt, updateBits });
  const tell = tellProgress(log, { round, attempt });
  const task = {
    weights: decodeModel(layout, model),
    seed: seeds.training,
    round,
    onProgress: (progress: TrainingProgress) => {
      tell(progress);
      onProgress?.(progress);
    },
  };
  const result = await trainer.train(task, signal);
  const { workerMomentum = 0 } = trainer;
  if (workerMomentum === 0) return result;
  const over = openCarryOver({ carry, job, round, layout, log });
  return { ...result, update: [...(await over.addMomentum(result.update, workerMomentum))] };
}

/**
 * Encodes what was learnt as an update of a round: error feedback if the manifest asks for it, clip and noise if the client
 * does, stochastic rounding, and the limits of the job's wire format, in this order.
 *
 * In a buffered job that round may be a later one than the training was begun in, and what came too late for one round may
 * be encoded for the next. What is carried from round to round belongs to the training, so that each counts once.
 *
 * @param learnt - what was learnt, and in which round it was begun
 * @param plan - the round that the update is for
 * @throws LayoutError, CarryError, PrivacyError
 */
export async function encodeLearnt(
  { job, layout, manifest }: JobTerms,
  { datasetCommitment, seed: publicSeed }: LocalTrainer,
  { plan: begun, result }: Learnt,
  plan: RoundPlan,
  { seed, carry, privacy, log }: Pick<TrainUpdateOptions, 'seed' | 'carry' | 'privacy' | 'log'>,
): Promise<TrainedUpdate> {
  const { round, attempt, updateBits } = plan;
  const seeds = roundSeeds(publicSeed ?? seed, { job, round, attempt });
  const over = openCarryOver({ carry, job, round: begun.round, layout, log });
  const feedsBack = manifest.wire?.errorFeedback === true && privacy === undefined;
  const intended = feedsBack ? await over.addResidual(result.update) : result.update;
  const rounded = privacy
    ? await privacy.encode(layout, intended, { job, round, attempt, updateBits }, seeds.rounding)
    : encodeUpdate(layout, intended, updateBits, seeds.rounding);
  const sent = wireFormat(manifest.wire)?.restrict(rounded.vector, seeds.rounding) ?? { ...rounded, saturated: 0 };
  const { vector } = sent;
  if (feedsBack) await over.keepResidual(intended, vector, updateBits);
  const saturated = rounded.saturated + sent.saturated;
  const loss = Number(result.loss.toFixed(4));
  const staleness = round - begun.round;
  log.info({ round, attempt, loss, saturated, ...(staleness > 0 && { staleness }) }, 'trained');
  const bytes = vectorBytes(vector);
  return {
    statement: {
      job,
      round,
      attempt,
      parentRoot: begun.parentRoot,
      updateRoot: toHex(updateTree(bytes).root),
      samples: Math.min(MOST_SAMPLES, result.samples),
      largestMagnitude: largestMagnitude(vector),
      datasetCommitment,
    },
    bytes,
  };
}
