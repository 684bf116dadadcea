import type { LayersArchitecture } from '../trainers/tfjs/architecture.ts';
import type { TrainingSettings } from '../trainers/tfjs/training-settings.ts';
import type { TrainingData } from '../trainers/training-data.ts';
import { layer, sequential } from './layer.ts';
import { synthesizeData } from './synthetic-data.ts';

/** A small model with data that it can learn. */
export interface SampleModel {
  /** For people. */
  readonly name: string;
  /** Layers JSON. */
  readonly architecture: LayersArchitecture;
  /** Made-up examples. */
  readonly data: TrainingData;
  /** Settings under which its loss falls. */
  readonly training: TrainingSettings & { readonly steps: number };
}

const training = { optimizer: 'momentum', learningRate: 0.1, momentum: 0.5, batchSize: 16, steps: 6 } as const;

/**
 * Small models that hold every layer class a job may use, so that what trains them trains any job. Their activations are
 * smooth, for a difference between two losses to tell the slope between.
 */
export const SAMPLE_MODELS: readonly SampleModel[] = [
  {
    name: 'MLP',
    data: synthesizeData({ inputShape: [6, 4], classes: 4 }),
    architecture: sequential(
      'mlp',
      [6, 4],
      layer('Permute', 'turned', { dims: [2, 1] }),
      layer('Dense', 'rows', { units: 6, activation: 'tanh' }),
      layer('LayerNormalization', 'norm', { axis: -1 }),
      layer('Flatten', 'flat'),
      layer('Dense', 'hidden', { units: 16 }),
      layer('LeakyReLU', 'leaky', { alpha: 0.9 }),
      layer('Dense', 'logits', { units: 4, activation: 'linear' }),
    ),
    training,
  },
  {
    name: 'CNN',
    data: synthesizeData({ inputShape: [9, 9, 2], classes: 4 }),
    architecture: sequential(
      'cnn',
      [9, 9, 2],
      layer('Conv2D', 'first', { filters: 4, kernel_size: [3, 3], padding: 'same', activation: 'tanh' }),
      layer('MaxPooling2D', 'maximum', { pool_size: [2, 2] }),
      layer('ZeroPadding2D', 'wider', {
        padding: [
          [1, 0],
          [0, 1],
        ],
      }),
      layer('Conv2D', 'second', { filters: 6, kernel_size: [2, 3], strides: [2, 1], activation: 'tanh' }),
      layer('AveragePooling2D', 'average', { pool_size: [2, 2], strides: [1, 1] }),
      layer('Flatten', 'flat'),
      layer('Dense', 'logits', { units: 4, activation: 'linear' }),
    ),
    training,
  },
  {
    name: 'separable CNN',
    data: synthesizeData({ inputShape: [8, 8, 3], classes: 3 }),
    architecture: sequential(
      'separable-cnn',
      [8, 8, 3],
      layer('DepthwiseConv2D', 'depthwise', {
        kernel_size: [3, 3],
        depth_multiplier: 2,
        padding: 'same',
        activation: 'tanh',
      }),
      layer('SeparableConv2D', 'separable', { filters: 8, kernel_size: [3, 3], strides: [2, 2], padding: 'same' }),
      layer('Activation', 'smooth', { activation: 'tanh' }),
      layer('GlobalAveragePooling2D', 'pool'),
      layer('Dense', 'logits', { units: 3, activation: 'linear' }),
    ),
    training: { ...training, learningRate: 0.5 },
  },
  {
    name: 'text',
    data: synthesizeData({ inputShape: [12], classes: 3, tokens: 20 }),
    architecture: sequential(
      'text',
      [12],
      layer('Embedding', 'embedding', { input_dim: 20, output_dim: 6, input_length: 12 }),
      layer('Conv1D', 'convolution', { filters: 8, kernel_size: [3], padding: 'same', activation: 'tanh' }),
      layer('MaxPooling1D', 'maximum', { pool_size: [2], strides: [2] }),
      layer('AveragePooling1D', 'average', { pool_size: [2], strides: [1] }),
      layer('GlobalAveragePooling1D', 'pool'),
      layer('Dense', 'logits', { units: 3, activation: 'linear' }),
    ),
    training,
  },
  {
    name: 'residual',
    data: synthesizeData({ inputShape: [10], classes: 3 }),
    architecture: residual(),
    training,
  },
];

/** Branches that meet again. */
function residual(): LayersArchitecture {
  const node = (
    kind: string,
    name: string,
    from: readonly string[],
    config: Record<string, unknown> = {},
  ): unknown => ({
    ...layer(kind, name, config),
    name,
    inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
  });
  return {
    class_name: 'Model',
    config: {
      name: 'residual',
      layers: [
        node('InputLayer', 'in', [], { batch_input_shape: [null, 10], dtype: 'float32' }),
        node('Dense', 'wide', ['in'], { units: 12, activation: 'tanh' }),
        node('Reshape', 'rows', ['wide'], { target_shape: [3, 4] }),
        node('Dense', 'inner', ['rows'], { units: 4 }),
        node('ReLU', 'relu', ['inner']),
        node('Add', 'sum', ['rows', 'relu']),
        node('Concatenate', 'joined', ['sum', 'inner'], { axis: -1 }),
        node('Flatten', 'flat', ['joined']),
        node('Dense', 'logits', ['flat'], { units: 3, activation: 'linear' }),
      ],
      input_layers: [['in', 0, 0]],
      output_layers: [['logits', 0, 0]],
    },
  };
}
