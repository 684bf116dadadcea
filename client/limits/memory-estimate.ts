import type { Manifest } from '../../shared/round/manifest.ts';

/** What Node, TensorFlow.js and its WebAssembly take before any model is there, in bytes. */
const BASE_BYTES = 200 * 2 ** 20;

/**
 * Bytes that one parameter takes while a round is trained and encoded: the model as it came and as int32 (8), its float32
 * view (4), the trainer's weights, gradients and two moments (16), what is added to the model (4), that as int16, once to
 * sign and once to keep (4), and as much again for what the garbage collector has not yet freed of it (8).
 */
const BYTES_PER_PARAMETER = 44;

/**
 * Estimates the memory that taking part in a job needs: `200 MiB + 44 bytes * parameters`. Activations are not in it: they
 * grow with batch and architecture, which only a trainer knows.
 *
 * @returns bytes; for tensors beyond what a double counts exactly, about
 */
export function estimateMemoryBytes({ tensors }: Pick<Manifest, 'tensors'>): number {
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return BASE_BYTES + BYTES_PER_PARAMETER * parameters;
}
