import type { Rng } from '../../shared/rng.ts';
import type { Examples } from '../data/dataset.ts';

/** One client's share of a joint gradient step. */
export interface GradientTask {
  /** The model that it stands at, `parameters` values; clients at one model share the very same array. */
  readonly weights: Float32Array;
  /** Which training examples its batch is made of. */
  readonly batch: Int32Array | readonly number[];
  /** Where its gradient goes, `parameters` values; overwritten. The gradient of the batch's mean loss. */
  readonly gradient: Float32Array;
}

/** How a model does on examples. */
export interface Evaluation {
  /** Examples whose likeliest class is theirs; none where the model gives no number. */
  readonly correct: number;
  /** Examples. */
  readonly total: number;
  /** Sum of their losses (cross entropy, nats). */
  readonly lossSum: number;
}

/**
 * A model that many virtual clients train, as one object: it may compute their batches together. The same calls give the
 * same bits on every machine, whatever the number of threads.
 */
export interface Learner {
  /** Its tensors in order, as a manifest lists them. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Values of all tensors together, without padding. */
  readonly parameters: number;
  /** Weights to start from. */
  initial(rng: Rng): Float32Array;
  /**
   * Vectors of `parameters` values, zeros, in the memory that the learner computes in: weights and gradients that lie there
   * need not be copied. They are the caller's until the learner is closed; none is ever taken back, so ask for few and use
   * them again.
   *
   * @throws LearnerError `learner/too-large`
   */
  vectors(count: number): Float32Array[];
  /** The memory in which {@link vectors} lie, for kernels of the caller's own. It may grow, which moves nothing. */
  readonly memory: WebAssembly.Memory;
  /**
   * The address of so many bytes in that memory, zeros, at the beginning of a cache line; as lasting as vectors.
   *
   * @throws LearnerError `learner/too-large`
   */
  take(bytes: number): number;
  /**
   * The gradients of several clients.
   *
   * @param examples - what batches point into; nobody may change them as long as the learner is open
   * @param tasks - one a client
   * @param rng - for what is random in training (dropout); drawn from in task order
   * @returns the mean loss of each batch, in task order; what is no finite number says that the model has diverged
   * @throws LearnerError `learner/bad-example`, `learner/bad-label`, `learner/bad-length`
   */
  gradients(examples: Examples, tasks: readonly GradientTask[], rng: Rng): Promise<Float64Array>;
  /** How a model does on examples. */
  evaluate(examples: Examples, weights: Float32Array): Promise<Evaluation>;
  /** The likeliest class of each example, the first of equal ones; -1 where the model gives no number. */
  classify(examples: Examples, weights: Float32Array): Promise<Int32Array>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}
