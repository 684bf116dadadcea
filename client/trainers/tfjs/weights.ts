import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TrainerError } from '../trainer-error.ts';
import type { TensorDescription } from './layers-model.ts';

/**
 * Puts weights into a model.
 *
 * @param model - a built model
 * @param tensors - its tensors
 * @param weights - one array per tensor, row-major
 * @throws TrainerError `trainer/shape-mismatch`, before anything is changed
 */
export function writeWeights(
  model: LayersModel,
  tensors: readonly TensorDescription[],
  weights: readonly Float32Array[],
): void {
  if (weights.length !== tensors.length) {
    throw new TrainerError(
      'trainer/shape-mismatch',
      `weights holds ${weights.length} tensors, the architecture has ${tensors.length}: use the job's own architecture`,
      { expected: tensors.length, found: weights.length },
    );
  }
  tensors.forEach(({ name, shape }, index) => {
    const expected = shape.reduce((product, size) => product * size, 1);
    const found = weights[index]?.length;
    if (found !== expected) {
      throw new TrainerError(
        'trainer/shape-mismatch',
        `the tensor ${name} holds ${found} numbers, its shape [${shape}] asks for ${expected}: use the job's own architecture`,
        { tensor: name, expected, found },
      );
    }
  });
  tf.tidy(() => {
    // A copy, because a tensor keeps the array it is made of and the caller may reuse it.
    model.setWeights(tensors.map(({ shape }, index) => tf.tensor(Float32Array.from(weights[index] ?? []), [...shape])));
  });
}

/** Reads a model's weights into arrays of their own. */
export function readWeights(model: LayersModel): Promise<Float32Array[]> {
  return Promise.all(model.getWeights().map(async (tensor) => Float32Array.from(await tensor.data())));
}

/** The variables that training moves. */
export function readTrainable(model: LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => weight.read() as tf.Variable);
}
