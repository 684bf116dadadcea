import type { TrainingData } from '../trainers/training-data.ts';
import { PublicDataError } from './public-data-error.ts';

/**
 * One shard of training data: of the training examples, in their order, every `shards`th from `shard` on. The held-out part
 * is the whole's, so that everyone's evaluations are of the same examples; so is the most frequent class.
 *
 * @param shard - 0 <= shard < shards
 * @throws PublicDataError `public-data/empty-shard`
 */
export function shardData(data: TrainingData, shard: number, shards: number): TrainingData {
  const samples = Math.floor((data.samples - shard + shards - 1) / shards);
  if (samples < 1) {
    const message = `shard ${shard} of ${shards} has none of the ${data.samples} training examples: the job has too many shards`;
    throw new PublicDataError('public-data/empty-shard', message, { shard, shards, samples: data.samples });
  }
  const whole = (position: number): number => shard + position * shards;
  const examples: TrainingData['examples'] = (positions) => data.examples(Array.from(positions, whole));
  return {
    inputShape: data.inputShape,
    classes: data.classes,
    samples,
    heldOutSamples: data.heldOutSamples,
    mostFrequentClass: data.mostFrequentClass,
    sample: (rng, count) => examples(Array.from({ length: count }, () => rng.below(samples))),
    examples,
    heldOut: (start, count) => data.heldOut(start, count),
    close: () => data.close?.(),
  };
}
