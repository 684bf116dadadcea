import { readFileSync } from 'node:fs';

/** The compiled kernels, see shared/aggregation/kernels/assembly; addresses and sizes in bytes. */
export interface Kernels {
  /** Copies a run of a row into blocks; 0 if a coordinate is beyond ±8191. */
  scatter(from: number, coordinates: number, to: number, blockBytes: number): number;
  /** Splits an aggregate into rows of int16. */
  split(aggregate: number, blocks: number, to: number, blockBytes: number): void;
  /** Reads bytes. */
  read(from: number, bytes: number): number;
  /** Inner products of all rows. */
  gram(rows: number, blocks: number, blockBytes: number, triples: number, sums: number): void;
  /** Inner products of every triple of rows with itself. */
  norms(rows: number, blocks: number, blockBytes: number, triples: number, sums: number): void;
  /** Inner products of one triple of rows with all. */
  products(one: number, rows: number, blocks: number, blockBytes: number, triples: number, sums: number): void;
  /** Weighted sums. */
  combine(rows: number, blocks: number, blockBytes: number, count: number, weights: number, aggregate: number): void;
  /** Weighted sums straight from rows; 0 if a coordinate is beyond ±8191. */
  combineRuns(
    runs: number,
    count: number,
    weights: number,
    coordinates: number,
    aggregate: number,
    room: number,
  ): number;
  /** Plain sums straight from rows; 0 if a coordinate is beyond ±8191. */
  addRuns(runs: number, count: number, coordinates: number, sums: number): number;
  /** The weighted sum of two sums of rows. */
  weigh(a: number, b: number, p: number, q: number, coordinates: number): void;
  /** Weighted sums by float64. */
  combineWide(
    rows: number,
    blocks: number,
    blockBytes: number,
    count: number,
    weights: number,
    aggregate: number,
  ): void;
  /** Mixes the rows of one block into int32. */
  mix(rows: number, count: number, lists: number, mixtures: number, mixed: number): void;
  /** Mixes the rows of one block into float64. */
  mixWide(rows: number, lists: number, mixtures: number, mixed: number): void;
  /** Divides int32 values in place. */
  divide(values: number, count: number, denominator: number): void;
  /** Divides float64 values. */
  divideWide(values: number, count: number, denominator: number, aggregate: number): void;
}

/** The one function of a coordinate rule's kernel. */
export interface CoordinateKernel {
  /** Reduces consecutive blocks. */
  run(rows: number, blocks: number, blockBytes: number, values: number, scratch: number): void;
}

/** Reads the compiled kernels, which the set-up puts beside this product's modules. */
export function readKernels(): Uint8Array<ArrayBuffer> {
  const bytes = readFileSync(new URL('../../aggregation/kernels/build/kernels.wasm', import.meta.url));
  return new Uint8Array(bytes);
}
