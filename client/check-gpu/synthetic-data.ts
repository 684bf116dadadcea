import { createRng, type Rng } from '../../shared/rng.ts';
import type { ExampleBatch, TrainingData } from '../trainers/training-data.ts';

/** What made-up examples look like. */
export interface SyntheticOptions {
  /** Shape of one example's input. */
  readonly inputShape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
  /** Inputs are numbers of tokens, 0 to `tokens - 1`, in place of any numbers. */
  readonly tokens?: number;
}

const SAMPLES = 1_000;
const HELD_OUT = 32;
const SEED = 20_240_601;

/**
 * Makes examples up: each class has a pattern of its own, of which an example shows seven tenths, the rest being noise. They depend
 * on nothing but the options, so that every machine trains on the same numbers.
 *
 * @param options - shapes and classes
 */
export function synthesizeData(options: SyntheticOptions): TrainingData {
  const { inputShape, classes, tokens } = options;
  const size = inputShape.reduce((product, length) => product * length, 1);
  const value = (rng: Rng): number => (tokens === undefined ? rng.nextFloat() - 0.5 : rng.below(tokens));
  const patterns = Array.from({ length: classes }, (_, label) => {
    const rng = createRng(SEED, `check/pattern-${label}`);
    return Float32Array.from({ length: size }, () => value(rng));
  });
  const draw = (rng: Rng, count: number): ExampleBatch => {
    const labels = Int32Array.from({ length: count }, () => rng.below(classes));
    const inputs = new Float32Array(count * size);
    labels.forEach((label, row) => {
      const pattern = patterns[label] as Float32Array;
      for (let at = 0; at < size; at++) {
        const noise = value(rng);
        inputs[row * size + at] = rng.nextFloat() < 0.7 ? (pattern[at] as number) : noise;
      }
    });
    return { inputs, labels };
  };
  const part = (name: string, positions: ArrayLike<number>): ExampleBatch => {
    const batches = Array.from(positions, (position) => draw(createRng(SEED, `check/${name}-${position}`), 1));
    const inputs = new Float32Array(batches.length * size);
    for (const [row, batch] of batches.entries()) inputs.set(batch.inputs, row * size);
    return { inputs, labels: Int32Array.from(batches, ({ labels }) => labels[0] ?? 0) };
  };
  return {
    inputShape,
    classes,
    samples: SAMPLES,
    heldOutSamples: HELD_OUT,
    mostFrequentClass: 0,
    sample: draw,
    examples: (positions) => part('training', positions),
    heldOut: (start, count) =>
      part(
        'held-out',
        Array.from({ length: count }, (_, index) => start + index),
      ),
  };
}
