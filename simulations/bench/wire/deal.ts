import type { ExampleBatch, TrainingData } from '../../../client/trainers/training-data.ts';

/**
 * Deals one data set to clients: each has examples of its own in memory, all are evaluated on the same held-out ones.
 *
 * @param whole - the data set
 * @param clients - how many share it
 * @param most - most examples of one client
 */
export function dealData(whole: TrainingData, clients: number, most: number): TrainingData[] {
  const samples = Math.min(most, Math.floor(whole.samples / clients));
  return Array.from({ length: clients }, (_, client) => {
    const own = whole.examples(Array.from({ length: samples }, (_, at) => at * clients + client));
    const size = own.inputs.length / samples;
    const examples = (positions: ArrayLike<number>): ExampleBatch => {
      const inputs = new Float32Array(positions.length * size);
      const labels = new Int32Array(positions.length);
      for (let row = 0; row < positions.length; row++) {
        const position = positions[row] as number;
        inputs.set(own.inputs.subarray(position * size, (position + 1) * size), row * size);
        labels[row] = own.labels[position] as number;
      }
      return { inputs, labels };
    };
    return {
      inputShape: whole.inputShape,
      classes: whole.classes,
      samples,
      heldOutSamples: whole.heldOutSamples,
      mostFrequentClass: whole.mostFrequentClass,
      sample: (rng, count) => examples(Array.from({ length: count }, () => rng.below(samples))),
      examples,
      heldOut: (start, count) => whole.heldOut(start, count),
    };
  });
}
