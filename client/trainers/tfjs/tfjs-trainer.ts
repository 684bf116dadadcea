import type { Trainer } from '../trainer.ts';
import { TrainerError } from '../trainer-error.ts';
import type { TrainingData } from '../training-data.ts';
import type { LayersArchitecture } from './architecture.ts';
import {
  type BackendChoice,
  type BackendOptions,
  type BackendPreference,
  runOnBackend,
  selectBackend,
} from './backend.ts';
import { bindClassifier } from './classifier.ts';
import { evaluateWeights } from './evaluation.ts';
import type { TensorDescription } from './layers-model.ts';
import { trainLocally } from './local-training.ts';
import { parseTrainingSettings, type TrainingSettings } from './training-settings.ts';

/** What a TensorFlow.js trainer is made of. */
export interface TfjsTrainerOptions {
  /** Layers JSON whose last layer gives logits. */
  readonly architecture: LayersArchitecture;
  /** What a round learns and how. */
  readonly training: TrainingSettings;
  /** The client's private examples. */
  readonly data: TrainingData;
  /** Default `auto`: a GPU where there is one, else TensorFlow's native library where it is installed, else WASM. */
  readonly backend?: BackendPreference;
  /** Which device, and other ways to bring in a backend's packages. */
  readonly backendOptions?: BackendOptions;
}

/** A trainer on TensorFlow.js. */
export interface TfjsTrainer extends Trainer {
  /** The backend in use and why. */
  readonly backend: BackendChoice;
  /** Tensors in the order in which weights are taken and given. */
  readonly tensors: readonly TensorDescription[];
}

/**
 * Creates a trainer that minimizes the softmax cross-entropy of a layers model. On the WASM and CPU backends the same
 * weights, seed, round, settings and data give the same bytes. Calls queue up: a process trains or evaluates one model
 * at a time.
 *
 * @param options - architecture, settings, data and backend
 * @throws TrainerError `trainer/bad-architecture`, `trainer/bad-training`, `trainer/data-mismatch`,
 * `trainer/backend-unavailable`
 */
export async function createTfjsTrainer(options: TfjsTrainerOptions): Promise<TfjsTrainer> {
  const training = parseTrainingSettings(options.training);
  const backend = await selectBackend(options.backend, options.backendOptions);
  const classifier = await runOnBackend(backend, () => bindClassifier(options.architecture, options.data));
  let isDisposed = false;
  const run = <Result>(work: () => Promise<Result>): Promise<Result> =>
    runOnBackend(backend, async () => {
      if (isDisposed) throw new TrainerError('trainer/disposed', 'the trainer was disposed: create another one');
      return work().catch(explain);
    });
  return {
    backend,
    tensors: classifier.tensors,
    workerMomentum: training.mode === 'gradient' ? training.workerMomentum : 0,
    train: (task, signal) => run(() => trainLocally(classifier, training, task, signal)),
    evaluate: (weights) => run(() => evaluateWeights(classifier, weights)),
    dispose: () => {
      if (isDisposed) return;
      isDisposed = true;
      // Work under way still reads the model: it goes after that.
      runOnBackend(backend, async () => {
        classifier.model.dispose();
        options.data.close?.();
      }).catch(() => undefined);
    },
  };
}

function explain(cause: unknown): never {
  if (cause instanceof Error && /Kernel '.*' not registered/.test(cause.message)) {
    throw new TrainerError(
      'trainer/kernel-missing',
      `the backend lacks an operation that this architecture needs (${cause.message}): use other layers or activations`,
      {},
      cause,
    );
  }
  throw cause;
}
