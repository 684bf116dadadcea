import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TrainerError } from '../trainer-error.ts';
import type { ExampleBatch, TrainingData } from '../training-data.ts';
import type { LayersArchitecture } from './architecture.ts';
import { buildModel, type TensorDescription, tensorsOf } from './layers-model.ts';

/** A model and the data it is made for. */
export interface Classifier {
  /** The built model, on the backend in use. */
  readonly model: LayersModel;
  /** Its tensors, in order. */
  readonly tensors: readonly TensorDescription[];
  /** Examples whose inputs and classes fit the model. */
  readonly data: TrainingData;
  /** The logits of a batch, `[count, classes]`; call it inside a `tidy`. */
  forward(batch: ExampleBatch): tf.Tensor;
}

/**
 * Builds a model and makes sure that it fits the data.
 *
 * @param architecture - layers JSON
 * @param data - the client's examples
 * @throws TrainerError `trainer/bad-architecture`, `trainer/data-mismatch`
 */
export async function bindClassifier(architecture: LayersArchitecture, data: TrainingData): Promise<Classifier> {
  const model = await buildModel(architecture);
  const inputShape = model.inputs[0]?.shape.slice(1) ?? [];
  const outputShape = model.outputs[0]?.shape.slice(1) ?? [];
  if (inputShape.join() !== data.inputShape.join() || outputShape.join() !== String(data.classes)) {
    model.dispose();
    throw new TrainerError(
      'trainer/data-mismatch',
      `the architecture maps [${inputShape}] to [${outputShape}] but the data has inputs [${data.inputShape}] and ${data.classes} classes: use an architecture made for this data`,
      { inputShape, outputShape, dataShape: [...data.inputShape], classes: data.classes },
    );
  }
  return {
    model,
    tensors: tensorsOf(model),
    data,
    forward: ({ inputs, labels }) =>
      model.apply(tf.tensor(inputs, [labels.length, ...data.inputShape]), { training: true }) as tf.Tensor,
  };
}
