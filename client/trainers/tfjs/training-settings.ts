import { z } from 'zod';
import { TrainerError } from '../trainer-error.ts';

/** How a client trains in one round; the optimizer's state starts afresh each round. */
export interface TrainingSettings {
  /** `sgd`: `w -= rate * g`. `momentum`: `v = momentum * v + g; w -= rate * v` (Polyak 1964). */
  readonly optimizer: 'sgd' | 'momentum';
  /** Step size, above 0. */
  readonly learningRate: number;
  /** Share of the velocity kept from step to step, in [0, 1); `sgd` ignores it. */
  readonly momentum: number;
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Batches in a round. */
  readonly steps: number;
  /**
   * Largest Euclidean norm of a batch's whole gradient; a longer one is shortened to it (Pascanu et al., "On the
   * difficulty of training recurrent neural networks", ICML 2013). Left out: no limit.
   */
  readonly clipNorm?: number;
}

const settingsSchema = z.strictObject({
  optimizer: z.enum(['sgd', 'momentum']),
  learningRate: z.number().positive(),
  momentum: z.number().min(0).lt(1),
  batchSize: z.number().int().positive(),
  steps: z.number().int().positive(),
  clipNorm: z.number().positive().exactOptional(),
});

/**
 * Reads settings that came from outside, such as a manifest's `task.training`.
 *
 * @param value - parsed JSON
 * @throws TrainerError `trainer/bad-training`, naming the first field at fault
 */
export function parseTrainingSettings(value: unknown): TrainingSettings {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = ['training', ...(issue?.path ?? [])].join('.');
  throw new TrainerError('trainer/bad-training', `${field}: ${issue?.message ?? 'is not valid'}`, { field });
}
