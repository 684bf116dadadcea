/**
 * Layer classes whose every gradient exists on every backend, that draw no random numbers, and that hold nothing but what
 * gradients train. The conformance suite of the backends trains each of them.
 */
export const ALLOWED_LAYERS: readonly string[] = [
  'Activation',
  'Add',
  'AveragePooling1D',
  'AveragePooling2D',
  'Concatenate',
  'Conv1D',
  'Conv2D',
  'Dense',
  'DepthwiseConv2D',
  'Embedding',
  'Flatten',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'InputLayer',
  'LayerNormalization',
  'LeakyReLU',
  'MaxPooling1D',
  'MaxPooling2D',
  'Permute',
  'ReLU',
  'Reshape',
  'SeparableConv2D',
  'ZeroPadding2D',
];

/** Why layers that one might expect are not allowed. */
export const WHY_REFUSED: Readonly<Record<string, string>> = {
  AlphaDropout: 'it draws random numbers that no seed controls',
  BatchNormalization:
    'its moving averages are not trained by gradients, so they cannot be aggregated; LayerNormalization can',
  Conv2DTranspose: 'no backend is tested with it; spread the input by Reshape and use Conv2D',
  Conv3D: 'its gradient has no kernel on the WASM backend',
  Dropout: 'it draws random numbers that no seed controls',
  GaussianDropout: 'it draws random numbers that no seed controls',
  GaussianNoise: 'it draws random numbers that no seed controls',
  GRU: 'no backend is tested with it; Conv1D reads sequences as well',
  Lambda: 'it would carry code, and an architecture is data',
  LSTM: 'no backend is tested with it; Conv1D reads sequences as well',
  SpatialDropout1D: 'it draws random numbers that no seed controls',
};

/** Settings that training would not apply: they must be null or absent. */
export const IGNORED_BY_TRAINING: readonly string[] = [
  'kernel_regularizer',
  'bias_regularizer',
  'activity_regularizer',
  'beta_regularizer',
  'gamma_regularizer',
  'depthwise_regularizer',
  'pointwise_regularizer',
  'embeddings_regularizer',
  'kernel_constraint',
  'bias_constraint',
  'depthwise_constraint',
  'pointwise_constraint',
  'embeddings_constraint',
];

/** A setting that not every backend can train with. */
export interface RefusedSetting {
  /** The layer classes it is about; absent: all. */
  readonly of?: readonly string[];
  /** Its name in the layer's config. */
  readonly field: string;
  /** Whether a value is the refused kind; never asked for null or nothing. */
  readonly isRefused: (value: unknown) => boolean;
  /** Why, and what to put instead. */
  readonly why: string;
}

/** Settings that not every backend can train with. */
export const REFUSED_SETTINGS: readonly RefusedSetting[] = [
  {
    field: 'data_format',
    isRefused: (value) => value !== 'channels_last' && value !== 'channelsLast',
    why: 'only channels last is computed on every backend: put the channels last',
  },
  {
    field: 'dilation_rate',
    isRefused: (value) => [value].flat().some((rate) => rate !== 1),
    why: 'TensorFlow.js has no gradient of a dilated convolution: set it to 1',
  },
  {
    of: ['AveragePooling1D', 'AveragePooling2D'],
    field: 'padding',
    isRefused: (value) => value !== 'valid',
    why: 'the gradient that TensorFlow.js has of it is wrong where a window reaches over the edge: set it to "valid"',
  },
  { field: 'mask_zero', isRefused: (value) => value === true, why: 'masks are not applied: set it to false' },
  {
    field: 'stateful',
    isRefused: (value) => value === true,
    why: 'a layer keeps nothing from batch to batch: set it to false',
  },
];
