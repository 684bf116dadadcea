import type { LayersArchitecture } from '../../../../client/trainers/tfjs/architecture.ts';
import type { TrainingSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import type { ExampleBatch, TrainingData } from '../../../../client/trainers/training-data.ts';
import { createRng, type Rng } from '../../../../shared/rng.ts';

/** A small model: 6 inputs, one hidden layer, 3 classes. */
export const toyArchitecture: LayersArchitecture = {
  class_name: 'Sequential',
  config: {
    name: 'toy',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'hidden', units: 8, activation: 'relu', batch_input_shape: [null, 6], dtype: 'float32' },
      },
      { class_name: 'Dense', config: { name: 'logits', units: 3, activation: 'linear' } },
    ],
  },
};

/** Settings under which the toy learns in a few rounds. */
export const toyTraining: TrainingSettings = {
  optimizer: 'momentum',
  learningRate: 0.2,
  momentum: 0.5,
  batchSize: 16,
  steps: 20,
};

/** Random points, labelled by which of three pairs of coordinates has the largest sum. */
export function makeToyData(inputShape: readonly number[] = [6]): TrainingData {
  const draw = (rng: Rng, count: number): ExampleBatch => {
    const inputs = Float32Array.from({ length: count * 6 }, () => rng.nextFloat() - 0.5);
    const labels = Int32Array.from({ length: count }, (_, row) => {
      const sums = [0, 2, 4].map((at) => (inputs[row * 6 + at] ?? 0) + (inputs[row * 6 + at + 1] ?? 0));
      return sums.indexOf(Math.max(...sums));
    });
    return { inputs, labels };
  };
  const held = draw(createRng(99), 300);
  return {
    inputShape,
    classes: 3,
    samples: 10_000,
    heldOutSamples: 300,
    mostFrequentClass: 1,
    sample: draw,
    examples: (positions) => {
      const batches = Array.from(positions, (position) => draw(createRng(position, 'toy-example'), 1));
      return {
        inputs: Float32Array.from(batches.flatMap(({ inputs }) => [...inputs])),
        labels: Int32Array.from(batches.flatMap(({ labels }) => [...labels])),
      };
    },
    heldOut: (start, count) => ({
      inputs: held.inputs.slice(start * 6, (start + count) * 6),
      labels: held.labels.slice(start, start + count),
    }),
  };
}
