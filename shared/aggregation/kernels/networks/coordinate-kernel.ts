import { AND, BITSELECT, type LaneKind, type Lanes, lanesOf, type Value } from './lanes.ts';
import { pruneNetwork, sortingNetwork } from './sorting-network.ts';
import { I32_ADD, I32_LT_U, type WasmCode, writeModule } from './wasm-code.ts';
import { runSteps } from './wires.ts';

/** Rows up to which a kernel is written: its code grows with the network, n log^2 n. */
export const MOST_NETWORK_ROWS = 256;

/** Coordinates of a block. */
const BLOCK = 64;
/** Bytes of a vector. */
const VECTOR = 16;

/** Parameters of a kernel, all int32, and the one local that is no vector. */
const ROWS = 0;
const BLOCKS = 1;
const BLOCK_BYTES = 2;
const VALUES = 3;
const SCRATCH = 4;
const ROW_END = 5;
const PARAMETERS = 5;
const INTEGERS = 1;

/** Which ranks a rule wants, and what it makes of them. */
interface Reducer {
  /** For each rank: undefined when unwanted, or a name; the ranks of one name are wanted together in any order. */
  readonly classes: readonly (string | undefined)[];
  /** Writes code for the rule's value, wide, from the values by rank; in locals. */
  reduce(code: WasmCode, lanes: Lanes, at: (rank: number) => Value): number[];
}

type ReducerOf = (n: number, f: number) => Reducer;

/** Rules with a kernel, by name. */
const REDUCERS: ReadonlyMap<string, ReducerOf> = new Map<string, ReducerOf>([
  ['Median', medianOf],
  ['TrMean', trimmedMeanOf],
  ['Meamed', (n, f) => nearestOf(n, f, middleSum)],
  ['Phocas', (n, f) => nearestOf(n, f, keptSum)],
  ['SignMajority', signMajorityOf],
]);

/** Whether a coordinate rule has a kernel for so many rows, f of them faulty. */
export function hasCoordinateKernel(rule: string, n: number, f: number): boolean {
  // Bulyan leaves out more than half around a median; whatever trims needs something left between.
  return REDUCERS.has(rule) && n <= MOST_NETWORK_ROWS && (rule === 'Meamed' ? f < n : 2 * f < n);
}

/**
 * Writes the kernel of a coordinate rule for n rows: straight-line code, the rule's sorting network without what the rule
 * does not need, 8, 4 or 2 coordinates at a time.
 *
 * The module's `run(rows, blocks, blockBytes, values, scratch)` reduces consecutive blocks of n rows of 64 lanes each.
 * `values` gets `reduce`'s value for every coordinate, int32 or, for float64 lanes, float64; `scratch` is n * 16 bytes.
 *
 * @param rule - name of a rule that has a kernel, see `hasCoordinateKernel`
 * @param n - rows
 * @param f - rows that may be faulty, fewer than n; for all but the mean around the median fewer than n/2
 * @param kind - lanes: int16 takes |value| <= 8191, the others what 2n times it still fits
 */
export function coordinateKernel(rule: string, n: number, f: number, kind: LaneKind): Uint8Array<ArrayBuffer> {
  const reducer = (REDUCERS.get(rule) as ReducerOf)(n, f);
  const lanes = lanesOf(kind);
  const rowBytes = BLOCK * lanes.bytes;
  const network = sortingNetwork(n);
  const steps = pruneNetwork(network, reducer.classes);
  return writeModule(PARAMETERS, INTEGERS, (code) => {
    code.loop(() => {
      advance(code, ROWS, ROW_END, rowBytes);
      code.loop(() => {
        const places = runSteps(code, lanes, steps, { rows: ROWS, rowBytes, scratch: SCRATCH, n });
        const reduced = reducer.reduce(code, lanes, (rank) => places(network.ranks[rank] as number));
        for (const [half, local] of reduced.entries()) {
          code.get(VALUES);
          code.get(local);
          code.store(half * VECTOR);
        }
        advance(code, VALUES, VALUES, reduced.length * VECTOR);
        advance(code, ROWS, ROWS, VECTOR);
        code.get(ROWS);
        code.get(ROW_END);
        code.op(I32_LT_U);
      });
      code.get(ROWS);
      code.get(BLOCK_BYTES);
      code.op(I32_ADD);
      code.i32(-rowBytes);
      code.op(I32_ADD);
      code.set(ROWS);
      advance(code, BLOCKS, BLOCKS, -1);
      code.get(BLOCKS);
    });
  });
}

function medianOf(n: number): Reducer {
  const middle = middleRanks(n);
  return {
    classes: classesOf(n, (rank) => (middle.includes(rank) ? 'middle' : undefined)),
    reduce: (code, lanes, at) => lanes.sum(code, middle.map(at)),
  };
}

function trimmedMeanOf(n: number, f: number): Reducer {
  const kept = keptRanks(n, f);
  return {
    classes: classesOf(n, (rank) => (kept.includes(rank) ? 'kept' : undefined)),
    reduce: (code, lanes, at) => lanes.sum(code, kept.map(at)),
  };
}

/** Values of ±1 and 0 are added and cut to that range again: no sum of so few leaves 16 bits. */
function signMajorityOf(n: number): Reducer {
  const all = keptRanks(n, 0);
  return {
    classes: classesOf(n, () => 'vote'),
    reduce: (code, lanes, at) => {
      const one = code.vector();
      lanes.constant(code, 1);
      code.set(one);
      const minusOne = code.vector();
      lanes.constant(code, -1);
      code.set(minusOne);
      const sign = (value: Value): void => {
        value();
        code.get(one);
        code.simd(lanes.min);
        code.get(minusOne);
        code.simd(lanes.max);
      };
      return lanes.sum(code, [
        () =>
          sign(() => {
            for (const rank of all) {
              sign(at(rank));
              if (rank > 0) code.simd(lanes.add);
            }
          }),
      ]);
    },
  };
}

/** Writes code that prepares a centre, and gives what leaves a mask on the stack: `2 * centre` is above the pair's sum. */
type Centre = (
  code: WasmCode,
  lanes: Lanes,
  at: (rank: number) => Value,
  n: number,
  f: number,
) => (pairSum: Value) => void;

/**
 * The n - f values nearest a centre. They are neighbours in order: the first n - f, moved up by one for each t for which
 * the t-th smallest is farther from the centre than the one n - f above it, which it is if their sum is below twice the
 * centre. Those t come first in order, so each can be asked apart.
 *
 * With 2f < n every value is on at most one side of such a question, and the answer is which of two enters; the middle
 * ones enter always. Otherwise a value may enter and leave again.
 */
function nearestOf(n: number, f: number, centre: Centre): Reducer {
  const kept = keptRanks(n, f);
  const middle = centre === middleSum ? middleRanks(n) : [];
  const nameOf = (rank: number): string => (kept.includes(rank) ? 'kept' : `rank ${rank}`);
  return {
    classes: classesOf(n, (rank) => (middle.includes(rank) && kept.includes(rank) && f > 0 ? 'middle' : nameOf(rank))),
    reduce: (code, lanes, at) => {
      if (f === 0) return lanes.sum(code, kept.map(at));
      const isAbove = centre(code, lanes, at, n, f);
      const isUpperNearer = (lower: Value, upper: Value): void =>
        isAbove(() => {
          lower();
          upper();
          code.simd(lanes.add);
        });
      const pairs = Array.from({ length: f }, (_, t) => [at(t), at(t + n - f)] as const);
      const nearer = pairs.map(([lower, upper]) => () => {
        upper();
        lower();
        isUpperNearer(lower, upper);
        code.simd(BITSELECT);
      });
      if (kept.length > 0) return lanes.sum(code, [...kept.map(at), ...nearer]);
      const first = Array.from({ length: n - f }, (_, rank) => at(rank));
      const moves = pairs.flatMap(([lower, upper]) => [
        () => {
          upper();
          isUpperNearer(lower, upper);
          code.simd(AND);
        },
        () => {
          lanes.constant(code, 0);
          lower();
          code.simd(lanes.subtract);
          isUpperNearer(lower, upper);
          code.simd(AND);
        },
      ]);
      return lanes.sum(code, [...first, ...moves]);
    },
  };
}

/** The median: half the sum of the two middle values, which are one and the same when n is odd. */
const middleSum: Centre = (code, lanes, at, n) => {
  const doubled = code.vector();
  at(Math.floor((n - 1) / 2))();
  at(Math.floor(n / 2))();
  code.simd(lanes.add);
  code.set(doubled);
  return (pairSum) => {
    pairSum();
    code.get(doubled);
    code.simd(lanes.less);
  };
};

/** The trimmed mean: the sum of the kept values over their number. */
const keptSum: Centre = (code, lanes, at, n, f) => {
  const kept = keptRanks(n, f);
  const sum = lanes.sum(code, kept.map(at));
  return (pairSum) => lanes.scaledLess(code, pairSum, kept.length, sum);
};

function middleRanks(n: number): number[] {
  return n % 2 === 0 ? [n / 2 - 1, n / 2] : [(n - 1) / 2];
}

function keptRanks(n: number, f: number): number[] {
  return Array.from({ length: Math.max(0, n - 2 * f) }, (_, at) => f + at);
}

function classesOf(n: number, nameOf: (rank: number) => string | undefined): (string | undefined)[] {
  return Array.from({ length: n }, (_, rank) => nameOf(rank));
}

/** `target = source + bytes`, of int32 locals. */
function advance(code: WasmCode, source: number, target: number, bytes: number): void {
  code.get(source);
  code.i32(bytes);
  code.op(I32_ADD);
  code.set(target);
}
