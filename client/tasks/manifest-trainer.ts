import { z } from 'zod';
import type { Manifest } from '../../shared/round/manifest.ts';
import type { LayersArchitecture } from '../trainers/tfjs/architecture.ts';
import type { BackendOptions, BackendPreference } from '../trainers/tfjs/backend.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../trainers/tfjs/tfjs-trainer.ts';
import type { TrainingSettings } from '../trainers/tfjs/training-settings.ts';
import type { TrainingData } from '../trainers/training-data.ts';
import { parseTaskField, TaskError } from './task-error.ts';

/** What to train on. */
export interface TrainingMachine {
  /** Which backend; default `auto`. */
  readonly backend?: BackendPreference;
  /** Which device of the backend. */
  readonly backendOptions?: BackendOptions;
}

const objectSchema = z.record(z.string(), z.unknown());

/**
 * Creates the TensorFlow.js trainer that a manifest describes, over a client's data, which is closed with it.
 *
 * @param manifest - of which `task.architecture`, `task.training` and `tensors` count
 * @param data - the client's examples
 * @param machine - backend and device
 * @throws TaskError `task/invalid`, `task/tensor-mismatch`; TrainerError
 */
export async function createManifestTrainer(
  { task, tensors }: Pick<Manifest, 'task' | 'tensors'>,
  data: TrainingData,
  { backend, backendOptions }: TrainingMachine,
): Promise<TfjsTrainer> {
  let trainer: TfjsTrainer | undefined;
  try {
    trainer = await createTfjsTrainer({
      architecture: parseTaskField('architecture', objectSchema, task.architecture) as LayersArchitecture,
      // The trainer checks each setting itself.
      training: parseTaskField('training', objectSchema, task.training) as unknown as TrainingSettings,
      data,
      ...(backend === undefined ? {} : { backend }),
      ...(backendOptions === undefined ? {} : { backendOptions }),
    });
    requireTensors(tensors, trainer.tensors);
    return trainer;
  } catch (error) {
    if (trainer) trainer.dispose();
    else data.close?.();
    throw error;
  }
}

function requireTensors(listed: Manifest['tensors'], described: TfjsTrainer['tensors']): void {
  const expected = listed.map(({ shape }) => `[${shape.join(',')}]`).join(' ');
  const found = described.map(({ shape }) => `[${shape.join(',')}]`).join(' ');
  if (expected === found) return;
  throw new TaskError(
    'task/tensor-mismatch',
    `the manifest lists tensors of shapes ${expected} but its architecture has ${found}: the manifest is at fault`,
    { expected, found },
  );
}
