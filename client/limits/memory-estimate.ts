import type { Manifest } from '../../shared/round/manifest.ts';

/** What Node, TensorFlow.js and its WebAssembly take before any model is there, in bytes: 109 MiB were measured. */
const BASE_BYTES = 128 * 2 ** 20;

/**
 * Bytes that one parameter takes while a round is trained and encoded: the model as it came, as int32 and as float32, the
 * trainer's weights, gradients and moments, what is added to the model, that as int16, and what of all this the garbage
 * collector has not yet freed. At d = 10^7 on WASM three rounds peaked at 880 MiB with momentum and 1261 MiB with Adam, 81
 * and 121 bytes a parameter beyond the base; the estimate is above both.
 */
const BYTES_PER_PARAMETER = 128;

/**
 * Estimates the memory that taking part in a job needs: `128 MiB + 128 bytes * parameters`. Activations are not in it: they
 * grow with batch and architecture, which only a trainer knows.
 *
 * @returns bytes; for tensors beyond what a double counts exactly, about
 */
export function estimateMemoryBytes({ tensors }: Pick<Manifest, 'tensors'>): number {
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return BASE_BYTES + BYTES_PER_PARAMETER * parameters;
}
