import type { LayersArchitecture } from '../trainers/tfjs/architecture.ts';
import type { ExampleBatch, TrainingData } from '../trainers/training-data.ts';
import { layer, sequential } from './layer.ts';
import { synthesizeData } from './synthetic-data.ts';

/** A model whose training steps are timed. */
export interface ThroughputModel {
  /** For people and for `--models`. */
  readonly name: string;
  /** Layers JSON. */
  readonly architecture: LayersArchitecture;
  /** One batch, always the same: making examples up is not what is timed. */
  readonly data: TrainingData;
}

/** Examples in a timed step's batch. */
export const BATCH_SIZE = 32;

const CLASSES = 10;

/** Images of 28 x 28, as in MNIST. */
const images = [28, 28, 1];

/** The models, from small to large. */
export const THROUGHPUT_MODELS: readonly ThroughputModel[] = [
  {
    name: 'mlp',
    data: oneBatch([784]),
    architecture: sequential(
      'mlp',
      [784],
      layer('Dense', 'first', { units: 256, activation: 'relu' }),
      layer('Dense', 'second', { units: 128, activation: 'relu' }),
      layer('Dense', 'logits', { units: CLASSES, activation: 'linear' }),
    ),
  },
  {
    name: 'cnn',
    data: oneBatch(images),
    architecture: sequential(
      'cnn',
      images,
      layer('Conv2D', 'first', { filters: 8, kernel_size: [3, 3], activation: 'relu' }),
      layer('MaxPooling2D', 'half', { pool_size: [2, 2] }),
      layer('Conv2D', 'second', { filters: 16, kernel_size: [3, 3], activation: 'relu' }),
      layer('MaxPooling2D', 'quarter', { pool_size: [2, 2] }),
      layer('Flatten', 'flat'),
      layer('Dense', 'logits', { units: CLASSES, activation: 'linear' }),
    ),
  },
  {
    name: 'wide',
    data: oneBatch([784]),
    architecture: sequential(
      'wide',
      [784],
      layer('Dense', 'first', { units: 2_800, activation: 'relu' }),
      layer('Dense', 'second', { units: 2_800, activation: 'relu' }),
      layer('Dense', 'logits', { units: CLASSES, activation: 'linear' }),
    ),
  },
];

function oneBatch(inputShape: readonly number[]): TrainingData {
  const data = synthesizeData({ inputShape, classes: CLASSES });
  let batch: ExampleBatch | undefined;
  return {
    ...data,
    sample: (rng, count) => {
      batch ??= data.sample(rng, count);
      return batch;
    },
  };
}
