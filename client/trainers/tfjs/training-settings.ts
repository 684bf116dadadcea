import { z } from 'zod';
import { TrainerError } from '../trainer-error.ts';

/** How a client trains in one round, as a manifest's `task.training` says it. */
export interface TrainingSettings {
  /**
   * `weights`, the default: descend from the global model, send `local - global`. `gradient`: stay at the global model,
   * send minus the mean gradient of its batches, of which the client keeps a momentum from round to round.
   */
  readonly mode?: 'weights' | 'gradient';
  /**
   * Of mode `weights`; its state starts afresh each round. `sgd`: `w -= rate * g`. `momentum`: `v = momentum * v + g;
   * w -= rate * v` (Polyak 1964). `adam`: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
   */
  readonly optimizer?: 'sgd' | 'momentum' | 'adam';
  /** Step size of mode `weights`, above 0. */
  readonly learningRate?: number;
  /** Share of the velocity that `momentum` keeps from step to step, in [0, 1); `sgd` ignores it. */
  readonly momentum?: number;
  /** Share of the mean gradient that `adam` keeps from step to step, in [0, 1); default 0.9. */
  readonly beta1?: number;
  /** Share of the mean squared gradient that `adam` keeps from step to step, in [0, 1); default 0.999. */
  readonly beta2?: number;
  /** What `adam` adds to the root of the mean squared gradient, above 0; default 1e-8. */
  readonly epsilon?: number;
  /**
   * Each step of mode `weights` also takes `rate * weightDecay * w` off, apart from the gradient (Loshchilov and Hutter,
   * "Decoupled weight decay regularization", ICLR 2019). Default 0.
   */
  readonly weightDecay?: number;
  /**
   * FedProx: mode `weights` minimizes the loss plus `proximal / 2 * |w - global|^2`, so that
   * `proximal * (w - global)` is added to each gradient (Li et al., "Federated optimization in heterogeneous networks",
   * MLSys 2020). Default 0.
   */
  readonly proximal?: number;
  /** Of mode `gradient`: beta of `m = beta * m + (1 - beta) * g`, from round to round, in [0, 1). Default 0. */
  readonly workerMomentum?: number;
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Batches in a round, drawn with repetition. Either this or `epochs`. */
  readonly steps?: number;
  /** Times that a round goes through all examples, each time in another order. Either this or `steps`. */
  readonly epochs?: number;
  /**
   * Largest Euclidean norm of a batch's whole gradient; a longer one is shortened to it (Pascanu et al., "On the
   * difficulty of training recurrent neural networks", ICML 2013). Left out: no limit.
   */
  readonly clipNorm?: number;
}

/** An optimizer with its parameters. */
export type OptimizerSettings =
  | { readonly name: 'sgd' }
  | { readonly name: 'momentum'; readonly momentum: number }
  | { readonly name: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/** Which batches a round is made of. */
export interface BatchSettings {
  /** Examples in a batch; the last one of an epoch may have fewer. */
  readonly batchSize: number;
  /** How long the round is. */
  readonly length: { readonly steps: number } | { readonly epochs: number };
}

/** How steps are taken from the global model. */
export interface DescentSettings {
  /** What turns gradients into directions. */
  readonly optimizer: OptimizerSettings;
  /** Step size. */
  readonly learningRate: number;
  /** Decoupled weight decay, 0 for none. */
  readonly weightDecay: number;
  /** Weight of the proximal term, 0 for none. */
  readonly proximal: number;
}

/** {@link TrainingSettings} with every choice made. */
export type TrainingRecipe = BatchSettings & {
  /** Largest norm of a batch's gradient; infinite where there is no limit. */
  readonly clipNorm: number;
} & (({ readonly mode: 'weights' } & DescentSettings) | { readonly mode: 'gradient'; readonly workerMomentum: number });

const share = z.number().min(0).lt(1);
const positive = z.number().positive();
const wholePositive = z.number().int().positive();

const batches = {
  batchSize: wholePositive,
  steps: wholePositive.exactOptional(),
  epochs: wholePositive.exactOptional(),
  clipNorm: positive.exactOptional(),
};

const weightsSchema = z.strictObject({
  mode: z.literal('weights').exactOptional(),
  optimizer: z.enum(['sgd', 'momentum', 'adam']),
  learningRate: positive,
  momentum: share.exactOptional(),
  beta1: share.exactOptional(),
  beta2: share.exactOptional(),
  epsilon: positive.exactOptional(),
  weightDecay: z.number().min(0).default(0),
  proximal: z.number().min(0).default(0),
  ...batches,
});

const gradientSchema = z.strictObject({
  mode: z.literal('gradient'),
  workerMomentum: share.default(0),
  ...batches,
});

/**
 * Reads settings that came from outside, such as a manifest's `task.training`, and makes every choice that they leave
 * open.
 *
 * @param value - parsed JSON
 * @throws TrainerError `trainer/bad-training`, naming the first field at fault
 */
export function parseTrainingSettings(value: unknown): TrainingRecipe {
  if ((value as { mode?: unknown } | null)?.mode === 'gradient') {
    const { mode, workerMomentum, ...rest } = parsed(gradientSchema, value);
    return { mode, workerMomentum, ...batchesOf(rest) };
  }
  const { learningRate, weightDecay, proximal, ...rest } = parsed(weightsSchema, value);
  return { mode: 'weights', optimizer: optimizerOf(rest), learningRate, weightDecay, proximal, ...batchesOf(rest) };
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw wrong(['training', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
}

function optimizerOf(said: Omit<z.infer<typeof weightsSchema>, 'learningRate' | 'weightDecay' | 'proximal'>) {
  const { optimizer: name, momentum, beta1, beta2, epsilon } = said;
  const foreign = name === 'adam' ? { momentum } : { beta1, beta2, epsilon };
  for (const [field, given] of Object.entries(foreign)) {
    if (given !== undefined) throw wrong(`training.${field}`, `is no setting of the optimizer "${name}": remove it`);
  }
  switch (name) {
    case 'sgd':
      return { name };
    case 'momentum':
      if (momentum === undefined) throw wrong('training.momentum', 'the optimizer "momentum" asks for it, such as 0.9');
      return { name, momentum };
    case 'adam':
      return { name, beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-8 };
  }
}

function batchesOf(said: { batchSize: number; steps?: number; epochs?: number; clipNorm?: number }) {
  const { batchSize, steps, epochs, clipNorm = Number.POSITIVE_INFINITY } = said;
  if (steps !== undefined && epochs === undefined) return { batchSize, length: { steps }, clipNorm };
  if (epochs !== undefined && steps === undefined) return { batchSize, length: { epochs }, clipNorm };
  throw wrong('training.steps', 'give either steps (batches in a round) or epochs (times through all examples)');
}

function wrong(field: string, what: string): TrainerError {
  return new TrainerError('trainer/bad-training', `${field}: ${what}`, { field });
}
