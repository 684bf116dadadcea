/** A tensor of an architecture. */
export interface InspectedTensor {
  /** Its name. */
  readonly name: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
}

/** What is found of a task by those who would work on it. */
export interface TaskFindings {
  /** The architecture's tensors in the order in which a trainer takes them; undefined where only trainers know. */
  readonly tensors: readonly InspectedTensor[] | undefined;
  /**
   * A bound on how far one round can carry one weight, where the training's settings give one: with sgd and a limited
   * gradient, steps times rate times limit.
   */
  readonly farthest: number | undefined;
  /** What keeps a client from working on it. */
  readonly problems: readonly { readonly field: string; readonly message: string }[];
}

/**
 * What a job's author needs of the client's side: the coordinator's folder knows nothing of training, so it is handed in.
 */
export interface TaskWorkbench {
  /** Looks at a task as a client would that gets it in a manifest. */
  inspect(task: {
    readonly kind: string;
    readonly architecture: unknown;
    readonly training: unknown;
    readonly data: unknown;
  }): Promise<TaskFindings>;
  /** Draws the weights that a job starts from and writes them as safetensors; answers how many there are. */
  drawModel(options: { readonly architecture: string; readonly seed: number; readonly out: string }): Promise<number>;
}
