import { createRng, type Rng } from '../../../shared/rng.ts';
import { instantiate } from '../kernels/learner-kernels.ts';
import type { LayerPlan, ModelPlan } from '../model-plan.ts';
import { createConvolution } from './convolution.ts';
import { crossEntropy, likeliest } from './cross-entropy.ts';
import { createDense } from './dense.ts';
import { createDropout, createRectifier } from './in-place.ts';
import type { Bench, Layer, Segment } from './layer.ts';
import type { Places } from './places.ts';
import { createPool } from './pool.ts';

/** One client's batch, for a thread: plain data. */
export interface BatchWork {
  /** Positions of its examples. */
  readonly examples: Int32Array;
  /** Their labels. */
  readonly labels: Int32Array;
  /** Address of its gradient. */
  readonly gradient: number;
  /** Seed of what is random in its training. */
  readonly seed: number;
}

/** Consecutive examples that a model is tested on, for a thread: plain data. */
export interface TestWork {
  /** Position of the first. */
  readonly first: number;
  /** Their labels. */
  readonly labels: Int32Array;
}

/** How a model did on some examples. */
export interface TestPart {
  /** The likeliest class of each; -1 where the model gives no number. */
  readonly answers: Int32Array;
  /** Sum of the losses. */
  readonly lossSum: number;
}

/** A model over the places of one thread. */
export interface Network {
  /**
   * Gradients of several batches at one model, as many examples together as there is room for. The bits of each do not
   * depend on the others.
   *
   * @param weights - address of the model
   * @param inputs - all examples
   * @returns the mean loss of each batch
   */
  gradients(weights: number, inputs: Float32Array, batches: readonly BatchWork[]): number[];
  /** Tests a model. */
  test(weights: number, inputs: Float32Array, work: TestWork): TestPart;
}

/** Creates a network. */
export function createNetwork(
  plan: ModelPlan,
  places: Places,
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
): Network {
  const bench: Bench = { ...places, memory, kernels: instantiate(module, memory) };
  const layers = plan.layers.map((layer, at) => createLayer(layer, bench, places.kept[at] as number));
  const features = plan.buffers[0] as number;
  const floats = (at: number, count: number): Float32Array => new Float32Array(memory.buffer, at, count);
  const inputsAt = floats(places.values[0] as number, places.capacity * features);
  const logits = floats(places.values.at(-1) as number, places.capacity * plan.classes);
  const slopes = floats(places.slopes.at(-1) as number, places.capacity * plan.classes);

  const lossesAndSlopes = (segment: Segment, work: BatchWork, done: number): number => {
    let loss = 0;
    for (let row = 0; row < segment.rows; row++) {
      const label = work.labels[done + row] as number;
      const at = (segment.row + row) * plan.classes;
      loss += crossEntropy(logits, at, plan.classes, label, slopes, work.labels.length);
    }
    return loss;
  };

  return {
    gradients: (weights, inputs, batches) => {
      const losses = batches.map(() => 0);
      for (const pass of passesOf(batches, places.capacity)) {
        let rows = 0;
        for (const { batch, from, segment } of pass) {
          const { examples } = batches[batch] as BatchWork;
          for (let row = 0; row < segment.rows; row++, rows++) {
            const at = (examples[from + row] as number) * features;
            inputsAt.set(inputs.subarray(at, at + features), rows * features);
          }
        }
        const segments = pass.map(({ segment }) => segment);
        for (const layer of layers) layer.forward(weights, rows, segments);
        for (const { batch, from, segment } of pass) {
          const work = batches[batch] as BatchWork;
          losses[batch] = (losses[batch] as number) + lossesAndSlopes(segment, work, from);
        }
        for (const layer of layers.toReversed()) layer.backward(weights, rows, segments);
      }
      return losses.map((loss, batch) => loss / (batches[batch] as BatchWork).labels.length);
    },
    test: (weights, inputs, { first, labels }) => {
      const answers = new Int32Array(labels.length);
      let lossSum = 0;
      for (let from = 0; from < labels.length; from += places.capacity) {
        const rows = Math.min(places.capacity, labels.length - from);
        inputsAt.set(inputs.subarray((first + from) * features, (first + from + rows) * features));
        for (const layer of layers) layer.forward(weights, rows, null);
        for (let row = 0; row < rows; row++) {
          const at = row * plan.classes;
          answers[from + row] = likeliest(logits, at, plan.classes);
          lossSum += crossEntropy(logits, at, plan.classes, labels[from + row] as number, null, 1);
        }
      }
      return { answers, lossSum };
    },
  };
}

/** A batch, or what of it fits, within one pass. */
interface Piece {
  readonly batch: number;
  readonly from: number;
  readonly segment: Segment;
}

/** Cuts batches into passes of at most so many rows, in order. */
function* passesOf(batches: readonly BatchWork[], capacity: number): Generator<Piece[]> {
  let pass: Piece[] = [];
  let used = 0;
  for (const [batch, { examples, gradient, seed }] of batches.entries()) {
    const rng: Rng = createLazyRng(seed);
    for (let from = 0; from < examples.length; ) {
      const rows = Math.min(capacity - used, examples.length - from);
      pass.push({ batch, from, segment: { row: used, rows, gradient, first: from === 0, rng } });
      from += rows;
      used += rows;
      if (used < capacity) continue;
      yield pass;
      [pass, used] = [[], 0];
    }
  }
  if (used > 0) yield pass;
}

/** A stream that is set up when it is first drawn from: most models need none. */
function createLazyRng(seed: number): Rng {
  let rng: Rng | undefined;
  const get = (): Rng => {
    rng ??= createRng(seed, 'dropout');
    return rng;
  };
  return {
    nextUint32: () => get().nextUint32(),
    nextFloat: () => get().nextFloat(),
    below: (bound) => get().below(bound),
  };
}

function createLayer(plan: LayerPlan, bench: Bench, kept: number): Layer {
  switch (plan.kind) {
    case 'dense':
      return createDense(plan, bench);
    case 'convolution':
      return createConvolution(plan, bench);
    case 'rectifier':
      return createRectifier(plan, bench);
    case 'dropout':
      return createDropout(plan, bench, kept);
    case 'pool':
      return createPool(plan, bench, kept);
  }
}
