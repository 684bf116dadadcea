import { availableParallelism } from 'node:os';
import type { Rng } from '../../shared/rng.ts';
import type { Dataset, Examples } from '../data/dataset.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { checkBatch, checkExamples, checkLength } from './check-examples.ts';
import type { Evaluation, GradientTask, Learner } from './learner.ts';
import { type ModelPlan, planModel } from './model-plan.ts';
import { layersOf } from './model-spec.ts';
import { createCrew } from './network/crew.ts';
import type { BatchWork, TestPart } from './network/network.ts';
import { capacityOf } from './network/places.ts';
import { createRoom } from './network/room.ts';
import type { GradientWork } from './network/share.ts';
import { createVectorPlaces } from './network/vector-places.ts';
import { forwardOperations, stepOperations } from './operations.ts';

/** Bytes of gradients and weights that are copied in and out in one go; a call with more does several. */
const WAVE_BYTES = 2 ** 28;
/** Products and sums, a fifth of a millisecond, below which telling another thread costs more than it saves. */
const WORTH_A_THREAD = 5e6;

/**
 * Opens a model of the simulations' own: layers over SIMD kernels, see docs/learners.md. A call computes the batches of
 * several clients together; neither that nor the number of threads changes a bit.
 *
 * @param spec - the model, as the experiment describes it
 * @param dataset - whose shape and classes it takes
 * @param threads - that compute, the caller's included; 0 for as many as the machine has
 * @param worthAThread - products and sums for which one more thread is told of a call
 * @throws LearnerError `learner/bad-option`, `learner/too-large`
 */
export async function openLearner(
  spec: RunSpec['model'],
  { shape, classes }: Pick<Dataset, 'shape' | 'classes'>,
  threads: number,
  worthAThread = WORTH_A_THREAD,
): Promise<Learner> {
  const plan = planModel(layersOf(spec), shape, classes);
  const room = createRoom();
  const count = threads === 0 ? availableParallelism() : threads;
  const crew = createCrew(plan, room);
  const threadsFor = (operations: number): number => Math.min(count, 1 + Math.floor(operations / worthAThread));
  const places = createVectorPlaces(room, plan.parameters);
  const isRandom = plan.layers.some(({ kind }) => kind === 'dropout');
  const shareable = createShareable(count);
  const atOnce = Math.max(1, Math.floor(WAVE_BYTES / (8 * plan.parameters)));
  const rowsAtOnce = capacityOf(plan);
  let turn: Promise<unknown> = Promise.resolve();
  /** One piece of work at a time: they share the places. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  const wave = async (examples: Examples, tasks: readonly GradientTask[], seeds: readonly number[]) => {
    const slots = places.lend();
    const gradients = tasks.map(({ gradient }) => slots.out(gradient));
    const batches = tasks.map(({ batch }, at) => toBatch(examples, batch, gradients[at] as number, seeds[at] ?? 0));
    const weights = tasks.map((task) => slots.in(task.weights));
    const rows = batches.reduce((sum, { labels }) => sum + labels.length, 0);
    const most = threadsFor(rows * stepOperations(plan));
    const units = unitsOf(weights, batches, rowsAtOnce, most);
    const results = await crew.run({ kind: 'gradients', inputs: shareable(examples.inputs), units }, most);
    slots.settle();
    return results.flatMap((result) => ('losses' in result ? result.losses : []));
  };

  const test = async (examples: Examples, weights: Float32Array): Promise<TestPart[]> => {
    checkLength('weights', weights.length, plan.parameters);
    checkExamples(examples, plan.buffers[0] as number, plan.classes);
    const slots = places.lend();
    const units = Array.from({ length: Math.ceil(examples.count / rowsAtOnce) }, (_, unit) => ({
      first: unit * rowsAtOnce,
      labels: examples.labels.slice(unit * rowsAtOnce, Math.min(examples.count, (unit + 1) * rowsAtOnce)),
    }));
    const work = { kind: 'evaluation', inputs: shareable(examples.inputs), weights: slots.in(weights), units } as const;
    const results = await crew.run(work, threadsFor(examples.count * forwardOperations(plan)));
    slots.settle();
    return results.flatMap((result) => ('part' in result ? [result.part] : []));
  };

  return {
    tensors: plan.tensors.map(({ name, shape: extents }) => ({ name, shape: extents })),
    parameters: plan.parameters,
    initial: (rng) => drawWeights(plan, rng),
    memory: room.memory,
    take: (bytes) => room.take(bytes),
    vectors: (count) => Array.from({ length: count }, () => places.create()),
    gradients: (examples, tasks, rng) =>
      inTurn(async () => {
        for (const { weights, gradient, batch } of tasks) {
          checkLength('weights', weights.length, plan.parameters);
          checkLength('gradient', gradient.length, plan.parameters);
          checkBatch(examples, batch, plan.buffers[0] as number, plan.classes);
        }
        const seeds = tasks.map(() => (isRandom ? rng.nextUint32() : 0));
        const losses: number[] = [];
        for (let at = 0; at < tasks.length; at += atOnce) {
          losses.push(...(await wave(examples, tasks.slice(at, at + atOnce), seeds.slice(at, at + atOnce))));
        }
        return Float64Array.from(losses);
      }),
    evaluate: (examples, weights) =>
      inTurn(async () => {
        const parts = await test(examples, weights);
        let [correct, lossSum, at] = [0, 0, 0];
        for (const part of parts) {
          lossSum += part.lossSum;
          for (const answer of part.answers) if (answer === examples.labels[at++]) correct++;
        }
        return { correct, total: examples.count, lossSum } satisfies Evaluation;
      }),
    classify: (examples, weights) =>
      inTurn(async () => {
        const answers = new Int32Array(examples.count);
        let at = 0;
        for (const part of await test(examples, weights)) {
          answers.set(part.answers, at);
          at += part.answers.length;
        }
        return answers;
      }),
    close: () => crew.close(),
  };
}

/**
 * Start values as PyTorch draws them for linear and convolutional layers (Kaiming uniform with a = sqrt 5): weights and
 * biases uniform in ±1 / sqrt(inputs of one output).
 */
function drawWeights({ parameters, tensors }: ModelPlan, rng: Rng): Float32Array {
  const weights = new Float32Array(parameters);
  let at = 0;
  for (const { shape, fanIn } of tensors) {
    const bound = 1 / Math.sqrt(fanIn);
    const end = at + shape.reduce((product, extent) => product * extent, 1);
    for (; at < end; at++) weights[at] = (2 * rng.nextFloat() - 1) * bound;
  }
  return weights;
}

function toBatch(examples: Examples, batch: GradientTask['batch'], gradient: number, seed: number): BatchWork {
  const positions = Int32Array.from(batch);
  return { examples: positions, labels: positions.map((at) => examples.labels[at] as number), gradient, seed };
}

/**
 * Puts neighbours that stand at one model together: as many as fit a pass, but so few that every thread has some. How many
 * shows in no result.
 */
function unitsOf(
  weights: readonly number[],
  batches: readonly BatchWork[],
  rowsAtOnce: number,
  threads: number,
): GradientWork['units'] {
  const fair = Math.ceil(batches.length / threads);
  const units: { weights: number; batches: BatchWork[]; rows: number }[] = [];
  for (const [at, batch] of batches.entries()) {
    const rows = batch.examples.length;
    const last = units.at(-1);
    const fits = last !== undefined && last.weights === weights[at] && last.rows + rows <= rowsAtOnce;
    if (fits && last.batches.length < fair) {
      last.batches.push(batch);
      last.rows += rows;
    } else units.push({ weights: weights[at] as number, batches: [batch], rows });
  }
  return units;
}

/** Inputs as threads can read them: those that lie in memory of one thread are copied, once. */
function createShareable(threads: number): (inputs: Float32Array) => Float32Array {
  const copies = new WeakMap<Float32Array, Float32Array>();
  return (inputs) => {
    if (threads === 1 || inputs.buffer instanceof SharedArrayBuffer) return inputs;
    const known = copies.get(inputs);
    if (known !== undefined) return known;
    const copy = new Float32Array(new SharedArrayBuffer(inputs.byteLength));
    copy.set(inputs);
    copies.set(inputs, copy);
    return copy;
  };
}
