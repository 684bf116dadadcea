import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { Learner } from '../models/learner.ts';
import { instantiateKernels, type UpdateKernels } from './kernels/kernels.ts';

/** Updates that are coded together. */
const TOGETHER = 4;
/** Bytes of the states of four streams, and of four largest magnitudes of each of four updates. */
const STREAM_BYTES = 64;
const FOUND_BYTES = 64;

/** A vector in the workshop's memory. */
export interface Bench {
  /** Its values, without padding. */
  readonly values: Float32Array;
  /** Its address. */
  readonly at: number;
}

/** An update that is to be coded. */
export interface Coding {
  /** The update in real units. */
  readonly values: Float32Array;
  /** The four words that its stream of random numbers starts from. */
  readonly stream: readonly number[];
  /** Where the integers go, the layout's dimension; padding is left alone. */
  readonly into: Int16Array;
}

/** What coding found of an update. */
export interface Coded {
  /** Largest magnitude, in update units. */
  readonly largest: number;
  /** Coordinates that were cut. */
  readonly saturated: number;
}

/** A memory of vectors, and kernels that work on them. */
export interface Workshop {
  /** Vectors that keep their place. */
  readonly benches: readonly Bench[];
  /** `update = beta update + weight (vector + decay weights)` in float32; weights may be null where decay is 0. */
  accumulate(update: Bench, vector: Bench, weights: Bench | null, beta: number, weight: number, decay: number): void;
  /** `to = from - rate ((gradient + decay from) + proximal (from - anchor))` in float32. */
  descend(from: Bench, to: Bench, gradient: Bench, anchor: Bench, step: LocalStep): void;
  /** `to = a - b`. */
  subtract(a: Bench, b: Bench, to: Bench): void;
  /** Codes updates with the bits of `encodeUpdate`. */
  encode(updates: readonly Coding[], updateBits: number): Coded[];
  /** Leaves the vectors to the next run with this learner. */
  close(): void;
}

/** Factors of a local step. */
export interface LocalStep {
  /** Learning rate. */
  readonly rate: number;
  /** L2 factor. */
  readonly decay: number;
  /** FedProx's mu. */
  readonly proximal: number;
}

/** Where a learner computes. */
export type LearnersMemory = Pick<Learner, 'memory' | 'vectors' | 'take'>;

/** What lies in a learner's memory for runs, one after the other: it is never given back, so it is used again. */
interface Shelf {
  readonly kernels: UpdateKernels;
  readonly free: Bench[];
  readonly copies: readonly Bench[];
  readonly integers: readonly { readonly at: number; readonly values: Int16Array }[];
  readonly streamsAt: number;
  readonly foundAt: number;
}

const shelves = new WeakMap<LearnersMemory, Shelf>();

/**
 * Lays out vectors in a learner's memory, so that gradients and weights need not be copied.
 *
 * @param layout - how the learner's tensors are coded
 * @param learner - whose memory it is
 * @param count - vectors
 * @throws LearnerError `learner/too-large`
 */
export function createWorkshop(layout: Layout, learner: LearnersMemory, count: number): Workshop {
  const { parameters, slots } = layout;
  const shelf = shelves.get(learner) ?? createShelf(learner, parameters);
  shelves.set(learner, shelf);
  const { kernels, copies, integers, streamsAt, foundAt } = shelf;
  shelf.free.push(...benchesOf(learner, Math.max(0, count - shelf.free.length)));
  const benches = shelf.free.splice(0, count);
  for (const { values } of benches) values.fill(0);
  const places = new WeakMap(benches.map(({ values, at }) => [values, at]));
  const streams = new Int32Array(learner.memory.buffer, streamsAt, 4 * TOGETHER);
  const found = new Int32Array(learner.memory.buffer, foundAt, 4 * TOGETHER);
  // Whole vectors of four: behind the last value is room that nobody else has.
  const lanes = Math.ceil(parameters / 4) * 4;

  const place = (values: Float32Array, row: number): number => {
    const known = places.get(values);
    if (known !== undefined) return known;
    const copy = copies[row] as Bench;
    copy.values.set(values);
    return copy.at;
  };

  const encodeFew = (few: readonly Coding[], updateBits: number): Coded[] => {
    const lane = (row: number): Coding => few[row] ?? (few[0] as Coding);
    const from = copies.map((_, row) => place(lane(row).values, row));
    for (let row = 0; row < TOGETHER; row++) {
      for (let word = 0; word < 4; word++) streams[word * TOGETHER + row] = lane(row).stream[word] as number;
    }
    found.fill(0);
    let at = 0;
    for (const { size, preScaleBits } of slots) {
      const [f0, f1, f2, f3] = from.map((start) => start + 4 * at) as [number, number, number, number];
      const [t0, t1, t2, t3] = integers.map((row) => row.at + 2 * at) as [number, number, number, number];
      const unit = powerOfTwo(updateBits + preScaleBits);
      kernels.encode(f0, f1, f2, f3, t0, t1, t2, t3, size, unit, streamsAt, foundAt);
      at += size;
    }
    return few.map(({ into }, row) => {
      const { values } = integers[row] as { values: Int16Array };
      let start = 0;
      for (const { offset, size } of slots) {
        into.set(values.subarray(start, start + size), offset);
        start += size;
      }
      const largest = Math.max(...found.subarray(TOGETHER * row, TOGETHER * (row + 1)));
      if (largest <= MAX_UPDATE) return { largest, saturated: 0 };
      const saturated = cut(lane(row).values, slots, into);
      return { largest: largestMagnitude(into), saturated };
    });
  };

  return {
    benches,
    accumulate: (update, vector, weights, beta, weight, decay) => {
      if (weights === null) kernels.blend(update.at, vector.at, lanes, beta, weight);
      else kernels.accumulate(update.at, vector.at, weights.at, lanes, beta, weight, decay);
    },
    descend: (from, to, gradient, anchor, { rate, decay, proximal }) =>
      kernels.descend(from.at, to.at, gradient.at, anchor.at, lanes, rate, decay, proximal),
    subtract: (a, b, to) => kernels.subtract(a.at, b.at, to.at, lanes),
    encode: (updates, updateBits) => {
      const results: Coded[] = [];
      for (let first = 0; first < updates.length; first += TOGETHER) {
        results.push(...encodeFew(updates.slice(first, first + TOGETHER), updateBits));
      }
      return results;
    },
    close: () => {
      shelf.free.push(...benches);
    },
  };
}

/** Cuts what the kernel marked as beyond the range, and makes what is no number 0; returns how much that was. */
function cut(values: Float32Array, slots: Layout['slots'], into: Int16Array): number {
  let [saturated, start] = [0, 0];
  for (const { offset, size } of slots) {
    for (let at = 0; at < size; at++) {
      const q = into[offset + at] as number;
      if (q >= -MAX_UPDATE && q <= MAX_UPDATE) continue;
      saturated++;
      into[offset + at] = Number.isNaN(values[start + at]) ? 0 : Math.sign(q) * MAX_UPDATE;
    }
    start += size;
  }
  return saturated;
}

function createShelf(learner: LearnersMemory, parameters: number): Shelf {
  const copies = benchesOf(learner, TOGETHER);
  const integers = copies.map(() => learner.take(2 * parameters));
  const streamsAt = learner.take(STREAM_BYTES);
  const foundAt = learner.take(FOUND_BYTES);
  const { buffer } = learner.memory;
  return {
    ...{ kernels: instantiateKernels(learner.memory), free: [], copies, streamsAt, foundAt },
    integers: integers.map((at) => ({ at, values: new Int16Array(buffer, at, parameters) })),
  };
}

function benchesOf(learner: LearnersMemory, count: number): Bench[] {
  return learner.vectors(count).map((values) => ({ values, at: values.byteOffset }));
}
