/** FedAvg as the manifest fixes it (McMahan et al. 2017): the aggregate is added to the model. */
export interface FedAvg {
  /** Name of the step. */
  readonly name: 'FedAvg';
  /** Learning rate in units of 2^-16, 1 to 2^20. */
  readonly learningRate: number;
}

/** FedAvg with server momentum as the manifest fixes it (Hsu, Qi and Brown 2019). */
export interface FedAvgM {
  /** Name of the step. */
  readonly name: 'FedAvgM';
  /** Learning rate in units of 2^-16, 1 to 2^20. */
  readonly learningRate: number;
  /** What is kept of the momentum from one round to the next, in units of 2^-16, below 2^16. */
  readonly momentum: number;
}

/** FedAdagrad as the manifest fixes it (Reddi et al. 2021, algorithm 2). */
export interface FedAdagrad {
  /** Name of the step. */
  readonly name: 'FedAdagrad';
  /** Learning rate in units of 2^-16, 1 to 2^20. */
  readonly learningRate: number;
  /** What is kept of the first moment from one round to the next, in units of 2^-16, below 2^16. */
  readonly beta1: number;
  /** Degree of adaptivity in units of 2^-30, at least 1; its square is the second moment before round 1. */
  readonly tau: number;
}

/** FedYogi and FedAdam as the manifest fixes them (Reddi et al. 2021, algorithm 2). */
export interface FedYogiOrAdam {
  /** Name of the step. */
  readonly name: 'FedYogi' | 'FedAdam';
  /** Learning rate in units of 2^-16, 1 to 2^20. */
  readonly learningRate: number;
  /** What is kept of the first moment from one round to the next, in units of 2^-16, below 2^16. */
  readonly beta1: number;
  /** The same for the second moment, in units of 2^-16, below 2^16. */
  readonly beta2: number;
  /** Degree of adaptivity in units of 2^-30, at least 1; its square is the second moment before round 1. */
  readonly tau: number;
}

/** A step that divides by the root of a second moment. */
export type AdaptiveStep = FedAdagrad | FedYogiOrAdam;

/** A server step, its parameters integers over a power of two. */
export type ServerStep = FedAvg | FedAvgM | AdaptiveStep;

/** A step's parameters beside its learning rate, in the order in which commitments list them. */
export function furtherParameters(step: ServerStep): number[] {
  switch (step.name) {
    case 'FedAvg':
      return [];
    case 'FedAvgM':
      return [step.momentum];
    case 'FedAdagrad':
      return [step.beta1, step.tau];
    case 'FedYogi':
    case 'FedAdam':
      return [step.beta1, step.beta2, step.tau];
  }
}
