import { readFileSync } from 'node:fs';

/** The compiled kernels of assembly/updates.ts; addresses in bytes, counts in values. */
export interface UpdateKernels {
  /** `update = beta update + weight (vector + decay weights)`. */
  accumulate(
    update: number,
    vector: number,
    weights: number,
    count: number,
    beta: number,
    weight: number,
    decay: number,
  ): void;
  /** `update = beta update + weight vector`. */
  blend(update: number, vector: number, count: number, beta: number, weight: number): void;
  /** `to = from - rate ((gradient + decay from) + proximal (from - anchor))`. */
  descend(
    from: number,
    to: number,
    gradient: number,
    anchor: number,
    count: number,
    rate: number,
    decay: number,
    proximal: number,
  ): void;
  /** `to = a - b`. */
  subtract(a: number, b: number, to: number, count: number): void;
  /** Codes a tensor of four updates. */
  encode(
    from0: number,
    from1: number,
    from2: number,
    from3: number,
    to0: number,
    to1: number,
    to2: number,
    to3: number,
    count: number,
    unit: number,
    streams: number,
    found: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

/** Kernels over a memory, which must not grow while arrays point into it. */
export function instantiateKernels(memory: WebAssembly.Memory): UpdateKernels {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./build/kernels.wasm', import.meta.url)));
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as UpdateKernels;
}
