import type { Rng } from '../../../shared/rng.ts';
import type { ExampleBatch, TrainingData } from '../training-data.ts';
import type { BatchSettings } from './training-settings.ts';

/**
 * How many batches a round has.
 *
 * @param settings - batch size and length of the round
 * @param samples - examples in the training part
 */
export function countBatches({ batchSize, length }: BatchSettings, samples: number): number {
  return 'steps' in length ? length.steps : length.epochs * Math.ceil(samples / batchSize);
}

/** How many examples a round sees, repetitions counted. Parameters as for {@link countBatches}. */
export function countExamples({ batchSize, length }: BatchSettings, samples: number): number {
  return 'steps' in length ? length.steps * batchSize : length.epochs * samples;
}

/**
 * The batches of a round, one after the other: the same stream of random numbers gives the same ones. By steps, each is
 * drawn from all examples; by epochs, each epoch is another order of all examples, cut into batches. An order takes four
 * bytes an example.
 *
 * @param data - the examples
 * @param settings - batch size and length of the round
 * @param rng - decides every draw
 */
export function* drawBatches(data: TrainingData, settings: BatchSettings, rng: Rng): Generator<ExampleBatch> {
  const { batchSize, length } = settings;
  if ('steps' in length) {
    for (let step = 0; step < length.steps; step++) yield data.sample(rng, batchSize);
    return;
  }
  const order = Uint32Array.from({ length: data.samples }, (_, position) => position);
  for (let epoch = 0; epoch < length.epochs; epoch++) {
    shuffle(order, rng);
    for (let start = 0; start < order.length; start += batchSize) {
      yield data.examples(order.subarray(start, start + batchSize));
    }
  }
}

/** Every order is as likely as every other (Fisher and Yates 1938, Durstenfeld 1964). */
function shuffle(order: Uint32Array, rng: Rng): void {
  for (let last = order.length - 1; last > 0; last--) {
    const other = rng.below(last + 1);
    const kept = order[last] as number;
    order[last] = order[other] as number;
    order[other] = kept;
  }
}
