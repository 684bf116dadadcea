import { TrainerError } from '../trainer-error.ts';

/**
 * A model as TensorFlow.js layers JSON, the object that `model.toJSON(null, false)` returns: `class_name`, `config`.
 * Its last layer gives logits, one per class.
 */
export type LayersArchitecture = Readonly<Record<string, unknown>>;

/** Layers in one architecture, at most. */
const MAX_LAYERS = 256;

/** Layer classes whose every gradient exists on the WASM and CPU backends and that draw no random numbers. */
const ALLOWED_LAYERS: readonly string[] = [
  'Activation',
  'Add',
  'Concatenate',
  'Dense',
  'Flatten',
  'GlobalAveragePooling1D',
  'InputLayer',
  'LayerNormalization',
  'LeakyReLU',
  'Permute',
  'ReLU',
  'Reshape',
];

const WHY_REFUSED: Readonly<Record<string, string>> = {
  AlphaDropout: 'it draws random numbers that no seed controls',
  BatchNormalization: 'its moving averages are not trained by gradients, so they cannot be aggregated',
  Conv1D: 'its gradient has no kernel on the WASM backend',
  Conv2D: 'its gradient has no kernel on the WASM backend',
  Dropout: 'it draws random numbers that no seed controls',
  Embedding: 'its gradient has no kernel on the WASM backend; a Dense layer on one-hot input does the same',
  GaussianDropout: 'it draws random numbers that no seed controls',
  GaussianNoise: 'it draws random numbers that no seed controls',
  Lambda: 'it would carry code, and an architecture is data',
  SpatialDropout1D: 'it draws random numbers that no seed controls',
};

const IGNORED_BY_TRAINING = [
  'kernel_regularizer',
  'bias_regularizer',
  'activity_regularizer',
  'beta_regularizer',
  'gamma_regularizer',
  'kernel_constraint',
  'bias_constraint',
];

/**
 * Reads an architecture that came from outside, such as a manifest's `task.architecture`: plain data made of allowed
 * layers.
 *
 * @param value - parsed JSON
 * @throws TrainerError `trainer/bad-architecture`, naming the layer and the remedy
 */
export function parseArchitecture(value: unknown): LayersArchitecture {
  if (!isRecord(value)) refuse('it must be an object with class_name and config', {});
  const kind = value['class_name'];
  if (kind !== 'Sequential' && kind !== 'Model' && kind !== 'Functional') {
    refuse(`its class_name must be "Sequential", "Model" or "Functional", not ${JSON.stringify(kind)}`, {});
  }
  const config = value['config'];
  const layers = Array.isArray(config) ? config : isRecord(config) ? config['layers'] : undefined;
  if (!Array.isArray(layers) || layers.length === 0) refuse('config.layers must be a list of layers', {});
  if (layers.length > MAX_LAYERS) refuse(`it has ${layers.length} layers, at most ${MAX_LAYERS} are allowed`, {});
  const names = new Set<string>();
  for (const layer of layers) checkLayer(layer, names);
  const last: unknown = layers.at(-1);
  if (isRecord(last) && isRecord(last['config']) && last['config']['activation'] === 'softmax') {
    refuse('its last layer must give logits: set its activation to "linear"', { layer: last['config']['name'] });
  }
  return value;
}

function checkLayer(layer: unknown, names: Set<string>): void {
  if (!isRecord(layer) || !isRecord(layer['config'])) refuse('every layer needs a class_name and a config', {});
  const kind = layer['class_name'];
  const config = layer['config'];
  if (typeof kind !== 'string' || !ALLOWED_LAYERS.includes(kind)) {
    const reason = typeof kind === 'string' ? WHY_REFUSED[kind] : undefined;
    refuse(
      `the layer class ${JSON.stringify(kind)} is not allowed${reason === undefined ? '' : `: ${reason}`}; use ${ALLOWED_LAYERS.join(', ')}`,
      { layerClass: kind },
    );
  }
  const name = config['name'];
  // Tensors are named after their layer; without a name TensorFlow.js would number it by what was built before.
  if (typeof name !== 'string' || name === '') refuse(`a ${kind} layer has no name: give it one`, { layerClass: kind });
  if (names.has(name)) refuse(`two layers are called "${name}": give each its own name`, { layer: name });
  names.add(name);
  for (const field of IGNORED_BY_TRAINING) {
    if (config[field] !== undefined && config[field] !== null) {
      refuse(`the layer "${name}" sets ${field}, which training does not apply: set it to null`, {
        layer: name,
        field,
      });
    }
  }
  if (config['stateful'] === true) refuse(`the layer "${name}" is stateful: set stateful to false`, { layer: name });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(what: string, data: Record<string, unknown>): never {
  throw new TrainerError('trainer/bad-architecture', `the architecture is refused: ${what}`, data);
}
