import { readFile, writeFile } from 'node:fs/promises';
import { FedanchorError } from '../shared/errors.ts';
import { encodeSafetensors } from '../shared/safetensors.ts';
import { parseArchitecture } from './trainers/tfjs/architecture.ts';
import { describeTensors, initialWeights } from './trainers/tfjs/layers-model.ts';

/** Thrown when an architecture cannot be read. */
export class InitModelError extends FedanchorError<'init-model/unreadable'> {}

/** What a model is made from. */
export interface InitModelOptions {
  /** File with the architecture as layers JSON. */
  readonly architecture: string;
  /** Unsigned 32-bit integer; the same seed draws the same weights on every machine. */
  readonly seed: number;
  /** File to write. */
  readonly out: string;
}

/**
 * Draws the weights that a job starts from and writes them as safetensors, in the order in which trainers take them.
 *
 * @returns how many parameters the model has
 * @throws InitModelError `init-model/unreadable`; TrainerError `trainer/bad-architecture`
 */
export async function initModel({ architecture: file, seed, out }: InitModelOptions): Promise<number> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new InitModelError('init-model/unreadable', `${file} is not a file with JSON`, { file }, cause);
  }
  const architecture = parseArchitecture(value);
  const weights = await initialWeights(architecture, seed);
  const tensors = (await describeTensors(architecture)).map((tensor, index) => ({
    ...tensor,
    values: weights[index] as Float32Array,
  }));
  await writeFile(out, encodeSafetensors(tensors, { seed: String(seed) }));
  return weights.reduce((sum, { length }) => sum + length, 0);
}
