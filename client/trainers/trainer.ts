/** One round's work for a client. */
export interface TrainingTask {
  /** The global model: one array per manifest tensor, in manifest order, row-major. */
  readonly weights: readonly Float32Array[];
  /** Unsigned 32-bit integer; with the round it decides every random choice of the training. */
  readonly seed: number;
  /** The round number, from 0. */
  readonly round: number;
  /** Told now and then how far the training is. */
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** How far one round's training is. */
export interface TrainingProgress {
  /** Share of the round's work that is done, 0 to 1. */
  readonly done: number;
  /** The last batch's loss, where the trainer knows it. */
  readonly loss?: number;
}

/** What a client learnt from the global model and its own data. */
export interface TrainingResult {
  /**
   * What the client adds to the global model: one array per manifest tensor, in manifest order. Where whole weights are
   * trained, `local - global`.
   */
  readonly update: Float32Array[];
  /** How many examples the client's training part holds. */
  readonly samples: number;
  /** Mean loss over the round's training batches; of classifiers the cross-entropy, in nats. */
  readonly loss: number;
}

/** How a model does on the client's held-out part. */
export interface Evaluation {
  /** Held-out examples whose most likely class is the right one. */
  readonly correct: number;
  /** Held-out examples evaluated. */
  readonly total: number;
  /** Sum of the cross-entropies over the held-out examples, in nats. */
  readonly lossSum: number;
  /** What always answering the most frequent class of the training part scores on the same examples. */
  readonly constantCorrect: number;
}

/** The port through which a client trains: whatever holds the data and the accelerator. */
export interface Trainer {
  /**
   * The share of the momentum that the client keeps from round to round, 0 to below 1; left out: none. The client keeps it,
   * over restarts too: `train` gives what was learnt in the one round.
   */
  readonly workerMomentum?: number;
  /**
   * Trains from the given weights on the client's own data.
   *
   * @param task - weights, seed and round
   * @param signal - stops the training between two batches
   * @throws TrainerError `trainer/shape-mismatch` (the weights are not the architecture's), `trainer/diverged` (a loss
   * or weight is not finite), `trainer/aborted`, `trainer/disposed`, `trainer/kernel-missing`
   */
  train(task: TrainingTask, signal?: AbortSignal): Promise<TrainingResult>;
  /**
   * Evaluates weights on the client's held-out part.
   *
   * @param weights - one array per manifest tensor, in manifest order
   * @param signal - says that the answer is not waited for any more
   * @throws TrainerError `trainer/shape-mismatch`, `trainer/disposed`, `trainer/kernel-missing`
   */
  evaluate(weights: readonly Float32Array[], signal?: AbortSignal): Promise<Evaluation>;
  /** Frees what the trainer holds; later calls throw `trainer/disposed`. */
  dispose(): void;
}
