import type { LocalTrainer } from '../../client/tasks/local-trainer.ts';
import type { Trainer, TrainingTask } from '../../client/trainers/trainer.ts';
import type { Hex } from '../../shared/bytes.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot } from '../../shared/commitments/vector-trees.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../shared/fixed-point/model.ts';
import { createRng } from '../../shared/rng.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { parseManifest } from '../../shared/round/manifest.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';

/** A model with its root. */
export interface ToyModel {
  /** Root of its tree. */
  readonly root: Hex;
  /** Its coordinates. */
  readonly vector: Int32Array;
}

/** A job small enough to train by hand. */
export interface ToyJob {
  /** Its terms. */
  readonly terms: JobTerms;
  /** Models: the one before round 1, and one after each round. */
  readonly models: readonly ToyModel[];
  /** The plan of a round. */
  plan(round: number, attempt?: number): RoundPlan;
}

/** Creates a job of two rounds over one tensor of `size` numbers and one of 3. */
export function createToyJob(size = 40, changes: Readonly<Record<string, unknown>> = {}): ToyJob {
  const tensors = [
    { name: 'kernel', shape: [size], fractionBits: 24, preScaleBits: 0 },
    { name: 'bias', shape: [3], fractionBits: 24, preScaleBits: 0 },
  ];
  const layout = layoutOf(tensors);
  const models = [0, 1, 2].map((round): ToyModel => {
    const values = tensors.map(({ shape }) => new Float32Array(shape[0] ?? 1).fill(0.5 + round / 8));
    const { vector } = encodeModel(layout, values);
    return { vector, root: blockRoot(TREE.model, vector) };
  });
  const terms = jobTerms(
    parseManifest({
      version: 1,
      name: 'toy',
      tensors,
      task: { kind: 'toy', architecture: {}, training: {}, data: {} },
      aggregation: {
        rule: { rule: 'Average', pre: [], f: 0, params: {} },
        sampleCap: 1000,
        serverStep: { name: 'FedAvg', learningRate: 65_536 },
      },
      rounds: 2,
      participation: { admission: 'open', expected: 1, quorum: 1, deadlineMs: 60_000, retries: 3 },
      rewards: { pricePerRound: '1000' },
      chain: { windowTicks: 1 },
      disclosure: 'participants',
      retentionS: 0,
      initialUpdateBits: 12,
      initialModelRoot: models[0]?.root,
      seedCommitment: `0x${'5e'.repeat(32)}`,
      ...changes,
    }),
  );
  return {
    terms,
    models,
    plan: (round, attempt = 0) => ({
      round,
      attempt,
      parentRoot: models[round - 1]?.root as Hex,
      updateBits: 12,
      seedIndex: round + attempt,
    }),
  };
}

/** A trainer whose learning is drawn from the task's seed, with what it was asked. */
export interface ToyTrainer extends LocalTrainer {
  /** Tasks so far. */
  readonly tasks: TrainingTask[];
  /** Models evaluated so far, by their first weight. */
  readonly evaluated: number[];
  /** Whether it was freed. */
  readonly isDisposed: () => boolean;
}

/** Creates a toy trainer; `before` runs ahead of each training and may fail or wait. */
export function createToyTrainer(
  before: (task: TrainingTask, signal?: AbortSignal) => Promise<void> = async () => {},
): ToyTrainer {
  const tasks: TrainingTask[] = [];
  const evaluated: number[] = [];
  let isDisposed = false;
  const trainer: Trainer = {
    train: async (task, signal) => {
      tasks.push(task);
      await before(task, signal);
      const rng = createRng(task.seed, 'toy');
      return {
        update: task.weights.map((tensor) => tensor.map(() => rng.nextFloat() - 0.5)),
        samples: 77,
        loss: 1,
      };
    },
    evaluate: async (weights) => {
      evaluated.push(weights[0]?.[0] ?? Number.NaN);
      return { correct: 3, total: 10, lossSum: 12.5, constantCorrect: 1 };
    },
    dispose: () => {
      isDisposed = true;
    },
  };
  return {
    trainer,
    datasetCommitment: `0x${'da'.repeat(32)}`,
    tasks,
    evaluated,
    isDisposed: () => isDisposed,
  };
}
