import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../../shared/rng.ts';
import type { TrainingResult, TrainingTask } from '../trainer.ts';
import { TrainerError } from '../trainer-error.ts';
import { breathe } from './breathe.ts';
import type { Classifier } from './classifier.ts';
import { crossEntropies } from './cross-entropy.ts';
import { createDescent } from './optimizer.ts';
import type { TrainingSettings } from './training-settings.ts';
import { readTrainable, readWeights, writeWeights } from './weights.ts';

const STEPS_PER_BREATH = 8;

/**
 * Runs one round's steps of gradient descent from the task's weights, on batches drawn by the task's seed and round.
 *
 * @param classifier - model and data
 * @param settings - optimizer, batch size and steps
 * @param task - weights, seed and round
 * @param signal - stops between two batches
 * @throws TrainerError `trainer/shape-mismatch`, `trainer/diverged`, `trainer/aborted`
 */
export async function trainLocally(
  classifier: Classifier,
  settings: TrainingSettings,
  task: TrainingTask,
  signal?: AbortSignal,
): Promise<TrainingResult> {
  const { model, tensors, data } = classifier;
  const { round } = task;
  writeWeights(model, tensors, task.weights);
  const rng = createRng(task.seed, `training/round-${round}`);
  const descent = createDescent(settings, readTrainable(model));
  let lossSum = 0;
  try {
    for (let step = 0; step < settings.steps; step++) {
      if (signal?.aborted) throw aborted(round, signal.reason);
      const batch = data.sample(rng, settings.batchSize);
      const loss = await descent.step(() => tf.mean(crossEntropies(classifier.forward(batch), batch.labels)));
      if (!Number.isFinite(loss)) throw diverged(`the loss of step ${step} is ${loss}`, round);
      lossSum += loss;
      // Heartbeats and aborts are served between batches.
      if (step % STEPS_PER_BREATH === STEPS_PER_BREATH - 1) await breathe();
    }
  } finally {
    descent.dispose();
  }
  const update = (await readWeights(model)).map((local, index) => {
    const global = task.weights[index] as Float32Array;
    return local.map((value, at) => value - (global[at] as number));
  });
  const wrong = update.findIndex((values) => !values.every(Number.isFinite));
  if (wrong >= 0) throw diverged(`the tensor ${tensors[wrong]?.name} holds a weight that is not finite`, round);
  return { update, samples: data.samples, loss: lossSum / settings.steps };
}

function aborted(round: number, reason: unknown): TrainerError {
  return new TrainerError('trainer/aborted', `the training of round ${round} was called off`, { round }, reason);
}

function diverged(what: string, round: number): TrainerError {
  const message = `the training of round ${round} diverged: ${what}; lower training.learningRate or set training.clipNorm`;
  return new TrainerError('trainer/diverged', message, { round });
}
