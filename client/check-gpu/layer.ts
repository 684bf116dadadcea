import type { LayersArchitecture } from '../trainers/tfjs/architecture.ts';

/** A layer as layers JSON. */
export interface LayerJson {
  /** Its class, such as `Dense`. */
  readonly class_name: string;
  /** Its settings, its name among them. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Writes a layer down.
 *
 * @param kind - its class
 * @param name - its name
 * @param config - its settings
 */
export function layer(kind: string, name: string, config: Readonly<Record<string, unknown>> = {}): LayerJson {
  return { class_name: kind, config: { name, ...config } };
}

/**
 * Puts layers one after the other.
 *
 * @param name - the model's name
 * @param inputShape - of one example
 * @param layers - the layers
 */
export function sequential(
  name: string,
  inputShape: readonly number[],
  ...layers: readonly LayerJson[]
): LayersArchitecture {
  const input = layer('InputLayer', 'input', { batch_input_shape: [null, ...inputShape], dtype: 'float32' });
  return { class_name: 'Sequential', config: { name, layers: [input, ...layers] } };
}
