import { toHex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';
import { encodeUpdate, largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import type { Log } from '../log.ts';
import { roundSeeds } from '../session/round-seeds.ts';
import type { LocalTrainer } from '../tasks/local-trainer.ts';

/** An update and what there is to state about it. */
export interface TrainedUpdate {
  /** The statement, not yet signed. */
  readonly statement: UpdateStatement;
  /** The update, little-endian int16. */
  readonly bytes: Uint8Array;
}

/** Most samples that a statement can carry. */
const MOST_SAMPLES = 0xffff_ffff;

/**
 * Trains one round from a verified model and encodes what was learnt.
 *
 * @param clientSeed - with the job, round and attempt it decides every random choice
 * @throws TrainerError, LayoutError
 */
export async function trainUpdate(
  { job, layout }: JobTerms,
  local: LocalTrainer,
  plan: RoundPlan,
  model: Int32Array,
  clientSeed: Uint8Array,
  log: Log,
  signal: AbortSignal,
): Promise<TrainedUpdate> {
  const { round, attempt, parentRoot, updateBits } = plan;
  const seeds = roundSeeds(clientSeed, { job, round, attempt });
  const global = decodeModel(layout, model);
  const result = await local.trainer.train({ weights: global, seed: seeds.training, round }, signal);
  const { vector, saturated } = encodeUpdate(layout, result.update, updateBits, seeds.rounding);
  log.info({ round, attempt, loss: Number(result.loss.toFixed(4)), saturated }, 'trained');
  const bytes = vectorBytes(vector);
  return {
    statement: {
      job,
      round,
      attempt,
      parentRoot,
      updateRoot: toHex(updateTree(bytes).root),
      samples: Math.min(MOST_SAMPLES, result.samples),
      largestMagnitude: largestMagnitude(vector),
      datasetCommitment: local.datasetCommitment,
    },
    bytes,
  };
}
