import type { CoordinateRule, Matrix, Mixing } from './rule.ts';

/** Updates held in memory. An engine's own rows (`allocate`) are read where they lie; others are copied piece by piece. */
export interface MemoryRows {
  /** Where they are. */
  readonly place: 'memory';
  /** n updates in participant order, all of one length. */
  readonly rows: readonly Int16Array[];
}

/** Updates in files, one a file: little-endian int16, nothing else. They are read block by block. */
export interface FileRows {
  /** Where they are. */
  readonly place: 'files';
  /** n paths in participant order. */
  readonly paths: readonly string[];
  /** Coordinates of each update: every file has twice as many bytes. */
  readonly dimension: number;
}

/** The admitted updates, wherever they are kept; none may change while an engine reads them. */
export type UpdateRows = MemoryRows | FileRows;

/** What a coordinate rule computes, as a plan of kind `reduce` says it. */
export interface Reduction {
  /** The rule. */
  readonly rule: CoordinateRule;
  /** Updates that may be faulty. */
  readonly f: number;
  /** The mixture the rule sees, null when it sees the updates themselves. */
  readonly mixing: Mixing | null;
}

/**
 * A weighted sum: `roundDiv(sum_i weights[i] * row_i, 2^22)`, cut to ±8191 * 256; for weights that sum to 2^30 it is a
 * mean.
 */
export interface Combination {
  /** One integer an update, in units of 2^-30 and of either sign; their magnitudes sum to at most 2^39. */
  readonly weights: readonly number[];
}

/** Exact inner products with the aggregate, in its units. */
export interface AggregateProducts {
  /** `<row_i, aggregate>`, one an update, in units of 2^-(2 updateBits + 8). */
  readonly along: readonly bigint[];
  /** `<aggregate, aggregate>`, in units of 2^-(2 updateBits + 16). */
  readonly own: bigint;
}

/** What one walk over the updates is to bring; whatever is asked for together is computed from the same blocks. */
export interface PassRequest {
  /** The inner products of the updates. */
  readonly gram?: boolean;
  /** The root of the matrix tree. */
  readonly matrixRoot?: boolean;
  /** An aggregate: by a coordinate rule, or as a weighted sum. */
  readonly aggregate?: Reduction | Combination;
  /** The inner products with the aggregate that the same walk computes. */
  readonly products?: boolean;
}

/** What one walk brought: null where it was not asked for. */
export interface PassResult {
  /** n x n exact inner products, symmetric. */
  readonly gram: bigint[][] | null;
  /** Root of the matrix tree, 32 bytes. */
  readonly matrixRoot: Uint8Array | null;
  /** The aggregate, 256 times finer than an update. */
  readonly aggregate: Int32Array | null;
  /** Inner products with it. */
  readonly products: AggregateProducts | null;
}

/**
 * What of an aggregation grows with the dimension, as a port. Every implementation returns the same bits as the scalar
 * reference, whatever its block size and number of threads.
 *
 * Every method that is given updates throws AggregationError `aggregation/empty`, `aggregation/mixed-lengths` or `aggregation/out-of-range`
 * for updates that cannot be aggregated, and `aggregation/too-large` where sums would not be exact.
 */
export interface AggregationEngine {
  /** Threads that compute. */
  readonly threads: number;
  /** Several things in one walk over the updates: cheaper than one after the other, above all from files. */
  pass(rows: UpdateRows, request: PassRequest): Promise<PassResult>;
  /** The exact n x n inner products of the updates. */
  gram(rows: UpdateRows): Promise<bigint[][]>;
  /** {@link starMatrix} of one update: what a rule needs that measures all distances from it. */
  gramRow(rows: UpdateRows, row: number): Promise<bigint[][]>;
  /** Every coordinate by a coordinate rule: D coordinates, 256 times finer than an update. */
  reduce(rows: UpdateRows, reduction: Reduction): Promise<Int32Array>;
  /** A weighted sum of the updates: D coordinates, 256 times finer than an update. One of weight 0 may go unread. */
  combine(rows: UpdateRows, weights: readonly number[]): Promise<Int32Array>;
  /** The inner products of an aggregate with the updates and itself: the last row of the augmented Gram matrix. */
  products(rows: UpdateRows, aggregate: Int32Array): Promise<AggregateProducts>;
  /** Root of the matrix tree over the updates, 32 bytes; the dimension must be a multiple of 64. */
  matrixRoot(rows: UpdateRows): Promise<Uint8Array>;
  /**
   * Zeroed rows to be filled by the caller, where the engine reads them fastest.
   *
   * @param n - rows
   * @param dimension - coordinates of each
   */
  allocate(n: number, dimension: number): MemoryRows;
  /** An empty Gram matrix that updates are folded into as they arrive. */
  incrementalGram(): IncrementalGram;
  /** Stops the threads; calls under way are rejected. */
  close(): Promise<void>;
}

/** An engine whose speed can be compared with that of the machine. */
export interface MeasurableEngine extends AggregationEngine {
  /** Reads every byte of the updates once in the engine's threads: what any rule takes at least. */
  readOnce(rows: UpdateRows): Promise<void>;
}

/** Inner products of updates that arrive one after the other, so that none are left to compute after the last. */
export interface IncrementalGram {
  /**
   * Folds an update in.
   *
   * @param id - its participant; an update folded in under the same id before is replaced
   * @param row - where the update is: one row, which must stay there
   * @throws AggregationError `aggregation/mixed-lengths`, `aggregation/out-of-range`
   */
  add(id: string, row: UpdateRows): Promise<void>;
  /**
   * The inner products of the updates with these ids, in this order, whatever the order they arrived in.
   *
   * @throws EngineError `engine/unknown-row` when an id was never folded in
   */
  matrix(ids: readonly string[]): Promise<Matrix<bigint>>;
}

/**
 * Inner products of the updates with one of them and each with itself, as an n x n matrix; all others are 0 in it.
 *
 * @param row - position of the one
 * @param products - its products with all
 * @param norms - each update's product with itself
 */
export function starMatrix(row: number, products: readonly bigint[], norms: readonly bigint[]): bigint[][] {
  return norms.map((norm, i) =>
    norms.map((_, j) => {
      if (i === j) return norm;
      return i === row ? (products[j] as bigint) : j === row ? (products[i] as bigint) : 0n;
    }),
  );
}

/**
 * Completes inner products of the updates by the aggregate's, as the last row and column.
 *
 * @param gram - n x n
 * @returns (n+1) x (n+1), symmetric
 */
export function augmentGram(gram: Matrix<bigint>, products: AggregateProducts): bigint[][] {
  return [...gram.map((row, i) => [...row, products.along[i] as bigint]), [...products.along, products.own]];
}
