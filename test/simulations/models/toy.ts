import { expect } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import type { Examples } from '../../../simulations/data/dataset.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import type { GradientTask, Learner } from '../../../simulations/models/learner.ts';

/** Classes of everything here. */
export const CLASSES = 5;

/** One model of each kind. */
export const MODELS: Readonly<Record<string, { readonly model: RunSpec['model']; readonly shape: readonly number[] }>> =
  {
    'softmax regression': { model: { name: 'softmax' }, shape: [13] },
    'a perceptron of two hidden layers': { model: { name: 'mlp', hidden: [9, 6] }, shape: [4, 5] },
    'a convolutional network': {
      model: { name: 'layers', layers: 'conv 3 2, relu, conv 5 3, relu, pool, dense 7, relu' },
      shape: [9, 8, 2],
    },
  };
/** Values of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** Examples of noise, of which labels say nothing. */
export function noisyExamples(count: number, features: number, classes: number, seed = 1): Examples {
  const rng = createRng(seed, 'test/examples');
  return {
    inputs: Float32Array.from({ length: count * features }, () => 2 * rng.nextFloat() - 1),
    labels: Int32Array.from({ length: count }, () => rng.below(classes)),
    count,
  };
}

/** The bytes of vectors, for comparing bits. */
export function bits(...vectors: readonly (Float32Array | Float64Array)[]): string {
  return vectors
    .map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('base64'))
    .join();
}

/** Tasks of different sizes at models of their own or at one. */
export function tasksOf(learner: Learner, sizes: readonly number[], models: readonly Float32Array[], count: number) {
  const rng = createRng(7, 'test/tasks');
  return sizes.map(
    (size, at): GradientTask => ({
      weights: models[at % models.length] as Float32Array,
      batch: Array.from({ length: size }, () => rng.below(count)),
      gradient: new Float32Array(learner.parameters).fill(9),
    }),
  );
}

/**
 * Holds a learner to the same bits however it is asked: batches of several clients together or one by one, some larger than
 * what is computed at a time, in vectors of the caller's or of its own.
 *
 * @returns all that it gave
 */
export async function sameBits(learner: Learner, shape: readonly number[]): Promise<string> {
  const sizes = [3, 1, 300, 2, 5, 40, 1];
  const examples = noisyExamples(64, sizeOf(shape), CLASSES);
  const models = [learner.initial(createRng(1)), learner.initial(createRng(2))];
  const results: string[] = [];
  for (const some of [models.slice(0, 1), models]) {
    const tasks = tasksOf(learner, sizes, some, examples.count);
    const losses = await learner.gradients(examples, tasks, createRng(1));
    const together = bits(losses, ...tasks.map(({ gradient }) => gradient));
    const gradients = learner.vectors(tasks.length);
    const placed = learner.vectors(some.length);
    for (const [at, vector] of placed.entries()) vector.set(some[at] as Float32Array);
    const alone: number[] = [];
    for (const [at, task] of tasksOf(learner, sizes, placed, examples.count).entries()) {
      const gradient = gradients[at] as Float32Array;
      alone.push(...(await learner.gradients(examples, [{ ...task, gradient }], createRng(1))));
    }
    expect(bits(Float64Array.from(alone), ...gradients) === together).toBe(true);
    results.push(together);
  }
  const { correct, total, lossSum } = await learner.evaluate(examples, models[0] as Float32Array);
  const answers = await learner.classify(examples, models[0] as Float32Array);
  expect(total).toBe(examples.count);
  expect(correct).toBe(answers.filter((answer, at) => answer === examples.labels[at]).length);
  return [...results, bits(Float64Array.of(correct, lossSum)), answers.join()].join();
}
