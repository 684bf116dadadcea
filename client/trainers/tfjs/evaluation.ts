import * as tf from '@tensorflow/tfjs-core';
import type { Evaluation } from '../trainer.ts';
import type { ExampleBatch } from '../training-data.ts';
import { breathe } from './breathe.ts';
import type { Classifier } from './classifier.ts';
import { crossEntropies } from './cross-entropy.ts';
import { writeWeights } from './weights.ts';

const BATCH_SIZE = 256;

/**
 * Evaluates weights on all held-out examples.
 *
 * @param classifier - model and data
 * @param weights - one array per tensor, row-major
 * @throws TrainerError `trainer/shape-mismatch`
 */
export async function evaluateWeights(classifier: Classifier, weights: readonly Float32Array[]): Promise<Evaluation> {
  const { model, tensors, data } = classifier;
  writeWeights(model, tensors, weights);
  let correct = 0;
  let lossSum = 0;
  let constantCorrect = 0;
  for (let start = 0; start < data.heldOutSamples; start += BATCH_SIZE) {
    const batch = data.heldOut(start, Math.min(BATCH_SIZE, data.heldOutSamples - start));
    const { answers, losses } = await evaluateBatch(classifier, batch);
    batch.labels.forEach((label, index) => {
      if (answers[index] === label) correct++;
      if (label === data.mostFrequentClass) constantCorrect++;
      lossSum += losses[index] ?? Number.NaN;
    });
    await breathe();
  }
  return { correct, total: data.heldOutSamples, lossSum, constantCorrect };
}

async function evaluateBatch(
  classifier: Classifier,
  batch: ExampleBatch,
): Promise<{ answers: Int32Array; losses: Float32Array }> {
  const { answers, losses } = tf.tidy(() => {
    const logits = classifier.forward(batch);
    return { answers: tf.argMax(logits, -1), losses: crossEntropies(logits, batch.labels) };
  });
  try {
    return { answers: await answers.data<'int32'>(), losses: await losses.data<'float32'>() };
  } finally {
    tf.dispose([answers, losses]);
  }
}
