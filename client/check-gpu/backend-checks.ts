import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../shared/rng.ts';
import type { BackendName, BackendOptions } from '../trainers/tfjs/backend.ts';
import { initialWeights } from '../trainers/tfjs/layers-model.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../trainers/tfjs/tfjs-trainer.ts';
import type { TrainingResult } from '../trainers/trainer.ts';
import { CheckError } from './check-error.ts';
import { SAMPLE_MODELS, type SampleModel } from './sample-models.ts';

/** One thing that a backend must do. */
export interface BackendCheck {
  /** A sentence's end: the backend … */
  readonly name: string;
  /**
   * Does it and looks.
   *
   * @returns what was measured, for people
   * @throws CheckError `check-gpu/failed`
   */
  run(): Promise<string>;
}

/** Which backend is checked, and how long. */
export interface BackendCheckOptions {
  /** The backend; it starts already. */
  readonly backend: BackendName;
  /** Which device, and where packages come from. */
  readonly backendOptions?: BackendOptions;
  /** Rounds after which nothing must be left over; default 100. */
  readonly leakRounds?: number;
}

/** Largest share by which a round's loss may differ from that of the plain backend: orders of adding differ. */
export const LOSS_TOLERANCE = 1e-3;

/** Largest difference between a gradient along a direction of length 1 and the slope between two losses. */
export const GRADIENT_TOLERANCE = 5e-3;

/** Half the distance between those two. GPUs may be off by 1e-5 in an exponential, which a shorter one would blow up. */
const NUDGE = 2 ** -8;

const ROUNDS = 3;
const SEED = 7;

/** The backends on which the same seed gives the same bits. */
const REPEATABLE: readonly BackendName[] = ['wasm', 'cpu'];

/**
 * What every backend must do before anybody trains on it. The plain `cpu` backend is the reference.
 *
 * @param options - the backend
 */
export function backendChecks(options: BackendCheckOptions): BackendCheck[] {
  const each = SAMPLE_MODELS.flatMap((model) => [
    {
      name: `trains the ${model.name} model to the loss of the plain backend`,
      run: () => reachesReferenceLoss(options, model),
    },
    {
      name: `gives the ${model.name} model gradients that agree with numeric ones`,
      run: () => agreesWithNumericGradients(options, model),
    },
  ]);
  const repeats = {
    name: 'repeats a round bit for bit',
    run: () => repeatsBitForBit(options),
  };
  return [
    ...each,
    ...(REPEATABLE.includes(options.backend) ? [repeats] : []),
    { name: 'is kept apart from another backend in the same process', run: () => staysApart(options) },
    { name: 'leaves no tensor behind', run: () => leavesNothing(options) },
  ];
}

async function withTrainer<Result>(
  options: BackendCheckOptions,
  { architecture, data, training }: SampleModel,
  use: (trainer: TfjsTrainer) => Promise<Result>,
  changed: Partial<SampleModel['training']> = {},
): Promise<Result> {
  const trainer = await createTfjsTrainer({
    architecture,
    data,
    training: { ...training, ...changed },
    backend: options.backend,
    ...(options.backendOptions === undefined ? {} : { backendOptions: options.backendOptions }),
  });
  try {
    return await use(trainer);
  } finally {
    trainer.dispose();
  }
}

/** Trains rounds one on the other: their losses, between those on the held-out part before and after. */
async function trainRounds(trainer: TfjsTrainer, model: SampleModel): Promise<number[]> {
  let weights = await initialWeights(model.architecture, SEED);
  const heldOut = async (): Promise<number> => {
    const { lossSum, total } = await trainer.evaluate(weights);
    return lossSum / total;
  };
  const losses = [await heldOut()];
  for (let round = 0; round < ROUNDS; round++) {
    const result = await trainer.train({ weights, seed: SEED, round });
    losses.push(result.loss);
    weights = moved(weights, result);
  }
  return [...losses, await heldOut()];
}

/** The plain backend's losses, which are computed once: it is slow. */
const references = new Map<SampleModel, Promise<number[]>>();

function referenceLosses(model: SampleModel): Promise<number[]> {
  const losses =
    references.get(model) ?? withTrainer({ backend: 'cpu' }, model, (trainer) => trainRounds(trainer, model));
  references.set(model, losses);
  return losses;
}

async function reachesReferenceLoss(options: BackendCheckOptions, model: SampleModel): Promise<string> {
  const losses = await withTrainer(options, model, (trainer) => trainRounds(trainer, model));
  const expected = await referenceLosses(model);
  const apart = Math.max(...losses.map((loss, index) => Math.abs(loss / (expected[index] as number) - 1)));
  const [before = 0, after = 0] = [losses[0], losses.at(-1)];
  require(apart <= LOSS_TOLERANCE, `the losses ${losses} are not those of the plain backend, ${expected}`);
  require(after < before, `the held-out loss does not fall: it is ${before} before and ${after} after`);
  return `held-out loss ${before.toFixed(4)} to ${after.toFixed(4)}, at most ${apart.toExponential(1)} off`;
}

/** Walks each tensor a little to both sides, all its coordinates at once. */
async function agreesWithNumericGradients(options: BackendCheckOptions, model: SampleModel): Promise<string> {
  const once = { optimizer: 'sgd', momentum: 0, learningRate: 1, steps: 1 } as const;
  return withTrainer(
    options,
    model,
    async (trainer) => {
      const weights = await initialWeights(model.architecture, SEED);
      const task = { seed: SEED, round: 0 };
      const { update } = await trainer.train({ ...task, weights });
      let worst = 0;
      for (const [tensor, values] of weights.entries()) {
        const direction = mixedDirection(update[tensor] as Float32Array, tensor);
        const lossAt = async (by: number): Promise<number> => {
          const walked = values.map((value, at) => value + by * (direction[at] as number));
          return (await trainer.train({ ...task, weights: weights.with(tensor, walked) })).loss;
        };
        const slope = ((await lossAt(NUDGE)) - (await lossAt(-NUDGE))) / (2 * NUDGE);
        const told = -direction.reduce((sum, part, at) => sum + part * (update[tensor]?.[at] ?? Number.NaN), 0);
        const difference = Math.abs(slope - told);
        const name = trainer.tensors[tensor]?.name;
        require(difference <= GRADIENT_TOLERANCE, `the gradient of ${name} says ${told}, the losses say ${slope}`);
        worst = Math.max(worst, difference);
      }
      return `${weights.length} tensors, at most ${worst.toExponential(1)} off`;
    },
    once,
  );
}

async function repeatsBitForBit(options: BackendCheckOptions): Promise<string> {
  for (const model of SAMPLE_MODELS) {
    const weights = await initialWeights(model.architecture, SEED);
    const once = (): Promise<TrainingResult> =>
      withTrainer(options, model, (trainer) => trainer.train({ weights, seed: SEED, round: 1 }));
    const [first, second] = [await once(), await once()];
    require(first.loss === second.loss && sameBits(first.update, second.update), `the ${model.name} model differs`);
  }
  return `${SAMPLE_MODELS.length} models`;
}

async function staysApart(options: BackendCheckOptions): Promise<string> {
  const [, model] = SAMPLE_MODELS as readonly [SampleModel, SampleModel];
  const other: BackendCheckOptions = { backend: options.backend === 'cpu' ? 'wasm' : 'cpu' };
  return withTrainer(options, model, (mine) =>
    withTrainer(other, model, async (theirs) => {
      const weights = await initialWeights(model.architecture, SEED);
      const train = (trainer: TfjsTrainer): Promise<TrainingResult> => trainer.train({ weights, seed: SEED, round: 0 });
      const alone = [await train(mine), await train(theirs)];
      const together = await Promise.all([train(mine), train(theirs), train(mine)]);
      for (const [index, result] of together.entries()) {
        const expected = (alone[index % 2] as TrainingResult).loss;
        require(Math.abs(result.loss / expected - 1) <=
          LOSS_TOLERANCE, `together the losses are ${together.map(({ loss }) => loss)}, alone ${alone.map(({ loss }) => loss)}`);
      }
      return `beside ${theirs.backend.name}`;
    }),
  );
}

async function leavesNothing({ leakRounds = 100, ...options }: BackendCheckOptions): Promise<string> {
  const models = SAMPLE_MODELS.slice(0, 4);
  const trainers: TfjsTrainer[] = [];
  const weights = await Promise.all(models.map(({ architecture }) => initialWeights(architecture, SEED)));
  const work = async (round: number): Promise<void> => {
    const index = round % models.length;
    const at = weights[index] as Float32Array[];
    await trainers[index]?.train({ weights: at, seed: SEED, round });
    await trainers[index]?.evaluate(at);
  };
  const left = (): Record<string, number> => {
    const { numTensors, numBytes, numDataBuffers } = tf.memory();
    return { tensors: numTensors, bytes: numBytes, buffers: numDataBuffers };
  };
  try {
    for (const { architecture, data, training } of models) {
      trainers.push(
        await createTfjsTrainer({
          architecture,
          data,
          training: { ...training, steps: 2, clipNorm: 0.01 },
          backend: options.backend,
          ...(options.backendOptions === undefined ? {} : { backendOptions: options.backendOptions }),
        }),
      );
    }
    for (let round = 0; round < models.length; round++) await work(round);
    const before = left();
    for (let round = 0; round < leakRounds; round++) await work(round);
    const after = left();
    const same = Object.entries(before).every(([what, count]) => after[what] === count);
    require(same, `after ${leakRounds} rounds there are ${JSON.stringify(after)}, before ${JSON.stringify(before)}`);
    return `${leakRounds} rounds, ${after['tensors']} tensors before and after`;
  } finally {
    for (const trainer of trainers) trainer.dispose();
  }
}

/**
 * A direction of length 1 between that of the gradient, along which a wrong length shows most, and one drawn by lot, along which
 * a wrong or missing part shows.
 */
function mixedDirection(gradient: Float32Array, tensor: number): Float64Array {
  const rng = createRng(SEED, `check/direction-${tensor}`);
  const length = Math.hypot(...gradient) || 1;
  const mixed = Float64Array.from(
    gradient,
    (slope) => slope / length + (rng.nextFloat() < 0.5 ? -1 : 1) / Math.sqrt(gradient.length),
  );
  const norm = Math.hypot(...mixed);
  return mixed.map((part) => part / norm);
}

function moved(weights: readonly Float32Array[], { update }: TrainingResult): Float32Array[] {
  return weights.map((values, tensor) => values.map((value, at) => value + (update[tensor]?.[at] ?? 0)));
}

function sameBits(a: readonly Float32Array[], b: readonly Float32Array[]): boolean {
  return a.every((values, tensor) => values.every((value, at) => Object.is(value, b[tensor]?.[at])));
}

function require(isRight: boolean, otherwise: string): asserts isRight {
  if (!isRight) throw new CheckError('check-gpu/failed', `${otherwise}: do not train on this backend`);
}
