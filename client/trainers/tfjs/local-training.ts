import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../../shared/rng.ts';
import type { TrainingResult, TrainingTask } from '../trainer.ts';
import { TrainerError } from '../trainer-error.ts';
import type { ExampleBatch } from '../training-data.ts';
import { countBatches, countExamples, drawBatches } from './batches.ts';
import { breathe } from './breathe.ts';
import type { Classifier } from './classifier.ts';
import { crossEntropies } from './cross-entropy.ts';
import { type BatchGradient, batchGradient } from './gradient.ts';
import { createOptimizer } from './optimizer.ts';
import type { DescentSettings, TrainingRecipe } from './training-settings.ts';
import { readTrainable, readWeights, writeWeights } from './weights.ts';

/** Longest time without serving heartbeats and aborts, but for one batch; it decides nothing about what is learnt. */
const BREATH_MS = 50;

/**
 * Trains one round from the task's weights, on batches drawn by the task's seed and round.
 *
 * @param classifier - model and data
 * @param recipe - what is learnt and how
 * @param task - weights, seed and round
 * @param signal - stops between two batches
 * @throws TrainerError `trainer/shape-mismatch`, `trainer/diverged`, `trainer/aborted`
 */
export async function trainLocally(
  classifier: Classifier,
  recipe: TrainingRecipe,
  task: TrainingTask,
  signal?: AbortSignal,
): Promise<TrainingResult> {
  const { model, tensors, data } = classifier;
  writeWeights(model, tensors, task.weights);
  const walk: BatchWalk = (use) => walkBatches(classifier, recipe, task, signal, use);
  const { update, loss } =
    recipe.mode === 'weights'
      ? await descend(classifier, recipe, task, walk)
      : await averageGradients(classifier, countExamples(recipe, data.samples), walk);
  const wrong = update.findIndex((values) => !values.every(Number.isFinite));
  if (wrong >= 0) {
    throw diverged(
      `what was learnt of the tensor ${tensors[wrong]?.name} holds a number that is not finite`,
      task.round,
    );
  }
  return { update, samples: data.samples, loss };
}

interface Learnt {
  readonly update: Float32Array[];
  /** Mean of the batches' losses. */
  readonly loss: number;
}

/** Goes through a round's batches and gives each one's gradient; returns the mean of their losses. */
type BatchWalk = (use: (gradient: BatchGradient, batch: ExampleBatch) => void) => Promise<number>;

/** Mode `weights`: steps from the global model, of which the update is where they end less where they began. */
async function descend(
  { model }: Classifier,
  settings: DescentSettings,
  { weights }: TrainingTask,
  walk: BatchWalk,
): Promise<Learnt> {
  const optimizer = createOptimizer(settings, readTrainable(model));
  try {
    const loss = await walk(({ gradients }) => optimizer.apply(gradients));
    const update = (await readWeights(model)).map((local, index) => {
      const global = weights[index] as Float32Array;
      return local.map((value, at) => value - (global[at] as number));
    });
    return { update, loss };
  } finally {
    optimizer.dispose();
  }
}

/** Mode `gradient`: the model stays, and the update is minus the mean gradient of all examples seen. */
async function averageGradients({ model }: Classifier, examples: number, walk: BatchWalk): Promise<Learnt> {
  const variables = readTrainable(model);
  const means = variables.map((variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false)));
  try {
    const loss = await walk(({ gradients }, { labels }) =>
      tf.tidy(() => {
        gradients.forEach((gradient, index) => {
          const mean = means[index];
          if (gradient) mean?.assign(tf.add(mean, tf.mul(gradient, labels.length / examples)));
        });
      }),
    );
    const update = model.weights.map(async (weight) => {
      const mean = means[variables.indexOf(weight.read() as tf.Variable)];
      return mean ? (await mean.data()).map((value) => -value) : new Float32Array(weight.read().size);
    });
    return { update: (await Promise.all(update)) as Float32Array[], loss };
  } finally {
    tf.dispose(means);
  }
}

async function walkBatches(
  classifier: Classifier,
  recipe: TrainingRecipe,
  { seed, round, onProgress }: TrainingTask,
  signal: AbortSignal | undefined,
  use: (gradient: BatchGradient, batch: ExampleBatch) => void,
): Promise<number> {
  const { model, data } = classifier;
  const variables = readTrainable(model);
  const batches = countBatches(recipe, data.samples);
  let [step, lossSum] = [0, 0];
  let breathedAt = performance.now();
  for (const batch of drawBatches(data, recipe, createRng(seed, `training/round-${round}`))) {
    if (signal?.aborted) throw aborted(round, signal.reason);
    const lossOf = (): tf.Scalar => tf.mean(crossEntropies(classifier.forward(batch), batch.labels));
    const gradient = await batchGradient(lossOf, variables, recipe.clipNorm);
    const { loss } = gradient;
    try {
      if (!Number.isFinite(loss)) throw diverged(`the loss of step ${step} is ${loss}`, round);
      use(gradient, batch);
    } finally {
      gradient.dispose();
    }
    lossSum += loss;
    step++;
    if (performance.now() - breathedAt < BREATH_MS) continue;
    onProgress?.({ done: step / batches, loss });
    await breathe();
    breathedAt = performance.now();
  }
  onProgress?.({ done: 1, loss: lossSum / batches });
  return lossSum / batches;
}

function aborted(round: number, reason: unknown): TrainerError {
  return new TrainerError('trainer/aborted', `the training of round ${round} was called off`, { round }, reason);
}

function diverged(what: string, round: number): TrainerError {
  const message = `the training of round ${round} diverged: ${what}; lower training.learningRate or set training.clipNorm`;
  return new TrainerError('trainer/diverged', message, { round });
}
