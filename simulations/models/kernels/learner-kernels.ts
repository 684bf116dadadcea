import { readFileSync } from 'node:fs';

/** The compiled kernels, see simulations/models/kernels/assembly; addresses and distances in bytes. */
export interface LearnerKernels {
  /** C = S + A B. */
  multiply(
    a: number,
    aBlock: number,
    aStep: number,
    rows: number,
    steps: number,
    b: number,
    columns: number,
    start: number,
    startRow: number,
    c: number,
    cRow: number,
  ): void;
  /** Packs a matrix whose columns are the panels' columns. */
  packColumns(from: number, rowBytes: number, steps: number, columns: number, to: number): void;
  /** Packs a matrix whose rows are the packed columns. */
  packRows(from: number, rowBytes: number, rows: number, steps: number, width: 4 | 8, to: number): void;
  /** What is below zero becomes zero. */
  rectify(values: number, count: number): void;
  /** Keeps slopes where the rectified value is above zero. */
  rectifySlopes(slopes: number, rectified: number, count: number): void;
  /** Multiplies value by value. */
  scaleBy(values: number, factors: number, count: number): void;
  /** Adds up rows. */
  sumRows(from: number, rowBytes: number, rows: number, columns: number, start: number, to: number): void;
  /** Lays an image's windows out as rows. */
  windows(
    image: number,
    width: number,
    channels: number,
    rows: number,
    columns: number,
    size: number,
    to: number,
  ): void;
  /** Adds rows to the image that they came from. */
  addWindows(
    from: number,
    width: number,
    channels: number,
    rows: number,
    columns: number,
    size: number,
    image: number,
  ): void;
  /** The largest of every 2 x 2 square. */
  poolMost(image: number, height: number, width: number, channels: number, to: number, which: number): void;
  /** Slopes to where the largest was. */
  poolSlopes(slopes: number, which: number, height: number, width: number, channels: number, image: number): void;
  /** 288 operations a step that never leave their registers. */
  turn(steps: number): number;
}

let compiled: WebAssembly.Module | undefined;

/** The kernels' code, which the set-up puts beside this product's modules; compiled once a process. */
export function learnerKernels(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(new Uint8Array(readFileSync(new URL('./build/kernels.wasm', import.meta.url))));
  return compiled;
}

/** The kernels over a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): LearnerKernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as LearnerKernels;
}
