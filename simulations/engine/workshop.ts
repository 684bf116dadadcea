import type { Layout } from '../../shared/fixed-point/layout.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import { instantiateKernels } from './kernels/kernels.ts';
import { SimulationError } from './simulation-error.ts';

const PAGE = 65_536;
/** Pages that a memory may have: 4 GiB. */
const MOST_PAGES = 65_536;
/** Bytes of a cache line. Rows whose distance is an odd number of them do not compete for the same places in a cache. */
const LINE = 64;
/** Updates that are coded together. */
const TOGETHER = 4;

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

/**
 * Creates a memory of vectors.
 *
 * @param layout - how vectors are coded
 * @param count - vectors
 * @throws SimulationError `simulation/too-large` if they take more than 4 GiB
 */
export function createWorkshop(layout: Layout, count: number): Workshop {
  const { parameters, dimension, slots } = layout;
  const stride = rowBytes(parameters);
  const coded = (Math.ceil((dimension * 2) / LINE) | 1) * LINE;
  const bytes = (count + TOGETHER) * stride + TOGETHER * coded + 4 * LINE;
  if (bytes > MOST_PAGES * PAGE) {
    const sentence = `a round of ${count} vectors of ${parameters} values takes ${Math.ceil(bytes / 2 ** 20)} MiB: sample fewer clients, or take a smaller model`;
    throw new SimulationError('simulation/too-large', sentence, { vectors: count, parameters, bytes });
  }
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernels = instantiateKernels(memory);
  const { buffer } = memory;
  const bench = (row: number): Bench => ({
    at: row * stride,
    values: new Float32Array(buffer, row * stride, parameters),
  });
  const benches = Array.from({ length: count }, (_, row) => bench(row));
  const copies = Array.from({ length: TOGETHER }, (_, row) => bench(count + row));
  const firstCoded = (count + TOGETHER) * stride;
  const integers = Array.from({ length: TOGETHER }, (_, row) => ({
    at: firstCoded + row * coded,
    values: new Int16Array(buffer, firstCoded + row * coded, dimension),
  }));
  const streamsAt = firstCoded + TOGETHER * coded;
  const foundAt = streamsAt + LINE;
  const streams = new Int32Array(buffer, streamsAt, 4 * TOGETHER);
  const found = new Int32Array(buffer, foundAt, 8 * TOGETHER);
  // Whole vectors of four; what is beyond the last value is zero and stays so.
  const lanes = Math.ceil(parameters / 4) * 4;

  const place = (values: Float32Array, row: number): number => {
    if (values.buffer === buffer) return values.byteOffset;
    const copy = copies[row] as Bench;
    copy.values.set(values);
    return copy.at;
  };

  const encodeFew = (few: readonly Coding[], updateBits: number): Coded[] => {
    const lane = (row: number): Coding => few[row] ?? (few[0] as Coding);
    const from = [0, 1, 2, 3].map((row) => place(lane(row).values, row));
    for (let row = 0; row < TOGETHER; row++) {
      for (let word = 0; word < 4; word++) streams[word * TOGETHER + row] = lane(row).stream[word] as number;
    }
    found.fill(0);
    let at = 0;
    for (const { offset, size, preScaleBits } of slots) {
      const [f0, f1, f2, f3] = from.map((start) => start + 4 * at) as [number, number, number, number];
      const [t0, t1, t2, t3] = integers.map((row) => row.at + 2 * offset) as [number, number, number, number];
      const unit = powerOfTwo(updateBits + preScaleBits);
      kernels.encode(f0, f1, f2, f3, t0, t1, t2, t3, size, unit, streamsAt, foundAt);
      at += size;
    }
    return few.map(({ into }, row) => {
      into.set((integers[row] as { values: Int16Array }).values);
      const four = (first: number): number[] => [...found.subarray(first, first + TOGETHER)];
      const saturated = four(TOGETHER * (TOGETHER + row)).reduce((sum, cut) => sum + cut, 0);
      return { largest: Math.max(...four(TOGETHER * row)), saturated };
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
  };
}

/** Bytes that a vector takes in a workshop. */
export function rowBytes(parameters: number): number {
  return (Math.ceil((parameters * 4) / LINE) | 1) * LINE;
}
