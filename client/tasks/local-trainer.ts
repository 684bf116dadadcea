import type { Hex } from '../../shared/bytes.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import type { Trainer } from '../trainers/trainer.ts';

/** A trainer with the data it trains on. */
export interface LocalTrainer {
  /** Trains and evaluates on the client's own data. */
  readonly trainer: Trainer;
  /** Commitment to that data, 32 bytes. */
  readonly datasetCommitment: Hex;
  /**
   * Decides every random choice of training and rounding, in place of the client's own seed: there where the data are
   * published, so that anyone can repeat what was done.
   */
  readonly seed?: Uint8Array;
}

/**
 * Makes a client's trainer once the job's manifest is known and verified. Whoever wants to alter what is trained wraps
 * the trainer that another factory made.
 *
 * @param manifest - of which `task` says what to train and `tensors` of which shapes
 * @param signal - says that the trainer is not waited for any more
 */
export type TrainerFactory = (manifest: Manifest, signal?: AbortSignal) => Promise<LocalTrainer>;
