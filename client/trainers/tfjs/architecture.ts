import { TrainerError } from '../trainer-error.ts';
import { ALLOWED_LAYERS, IGNORED_BY_TRAINING, REFUSED_SETTINGS, WHY_REFUSED } from './allowed-layers.ts';

/**
 * A model as TensorFlow.js layers JSON, the object that `model.toJSON(null, false)` returns: `class_name`, `config`.
 * Its last layer gives logits, one per class.
 */
export type LayersArchitecture = Readonly<Record<string, unknown>>;

/** Layers in one architecture, at most. */
const MAX_LAYERS = 256;

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
    const reason = typeof kind === 'string' && Object.hasOwn(WHY_REFUSED, kind) ? WHY_REFUSED[kind] : undefined;
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
  for (const { of, field, isRefused, why } of REFUSED_SETTINGS) {
    const value = config[field];
    if (of !== undefined && !of.includes(kind)) continue;
    if (value === undefined || value === null || !isRefused(value)) continue;
    refuse(`the layer "${name}" sets ${field} to ${JSON.stringify(value)}: ${why}`, { layer: name, field });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(what: string, data: Record<string, unknown>): never {
  throw new TrainerError('trainer/bad-architecture', `the architecture is refused: ${what}`, data);
}
