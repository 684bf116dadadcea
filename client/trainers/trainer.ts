/** One round's work for a client. */
export interface TrainingTask {
  /** The global model: one array per manifest tensor, in manifest order, row-major. */
  readonly weights: readonly Float32Array[];
  /** Unsigned 32-bit integer; with the round it decides every random choice of the training. */
  readonly seed: number;
  /** The round number, from 0. */
  readonly round: number;
}

/** What a client's training made of the global model. */
export interface TrainingResult {
  /** The local model: one array per manifest tensor, in manifest order. */
  readonly weights: Float32Array[];
  /** How many examples the client's training part holds. */
  readonly samples: number;
  /** Mean cross-entropy over the round's training batches, in nats. */
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
   * @throws TrainerError `trainer/shape-mismatch`, `trainer/disposed`, `trainer/kernel-missing`
   */
  evaluate(weights: readonly Float32Array[]): Promise<Evaluation>;
  /** Frees what the trainer holds; later calls throw `trainer/disposed`. */
  dispose(): void;
}
