import type { Rng } from '../../shared/rng.ts';

/** Labelled examples, free of any tensor library. */
export interface ExampleBatch {
  /** Row-major inputs, `count * product(inputShape)` numbers. */
  readonly inputs: Float32Array;
  /** The class of each example, 0 <= label < classes. */
  readonly labels: Int32Array;
}

/** A client's private classification data, split into a training part and a held-out part. */
export interface TrainingData {
  /** Shape of one example's input. */
  readonly inputShape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
  /** Examples in the training part. */
  readonly samples: number;
  /** Examples in the held-out part. */
  readonly heldOutSamples: number;
  /** The most frequent class of the training part, lowest class at a tie: the answer a constant model would give. */
  readonly mostFrequentClass: number;
  /** Draws `count` training examples; the same stream of random numbers gives the same batch. */
  sample(rng: Rng, count: number): ExampleBatch;
  /** The training examples at these positions, each 0 <= position < samples; the same ones in the same places always. */
  examples(positions: ArrayLike<number>): ExampleBatch;
  /** The held-out examples `start` to `start + count`, always the same ones in the same order. */
  heldOut(start: number, count: number): ExampleBatch;
  /** Frees what is open, such as files; whoever trains on the data calls it after the last batch. */
  close?(): void;
}
