import { instantiate, learnerKernels } from '../../models/kernels/learner-kernels.ts';

/** What a kernel reaches on one thread, in 10^9 operations a second: the fastest repeat, which nothing else disturbed. */
export interface KernelRates {
  /** Products and sums that never leave their registers: what this machine can do at most. */
  readonly peak: number;
  /** The product of E3's inputs and weights, 250 x 784 by 784 x 100, packing included. */
  readonly forward: number;
  /** The product that makes a client's gradient of it, 784 x 25 by 25 x 100, packing included. */
  readonly gradient: number;
}

/** Operations of one step of the loop in registers, see the kernel `turn`. */
const TURN_OPERATIONS = 288;
const TURNS = 20_000;
const [ROWS, BATCH, INPUTS, UNITS] = [250, 25, 784, 100] as const;
const PAGE = 65_536;

/**
 * Measures the kernels, one after the other in each repeat.
 *
 * @param repeats - at least 1
 */
export function measureKernels(repeats: number): KernelRates {
  const memory = new WebAssembly.Memory({ initial: 80, maximum: 80, shared: true });
  const kernels = instantiate(learnerKernels(), memory);
  new Float32Array(memory.buffer).fill(0.5);
  const [x, weights, left, right, y, gradient] = [1, 16, 24, 40, 48, 56].map((page) => page * PAGE) as [
    ...[number, number, number, number, number, number],
  ];
  const inRow = 4 * INPUTS;
  const outRow = 4 * UNITS;
  const forward = (): void => {
    kernels.packRows(x, inRow, ROWS, INPUTS, 4, left);
    kernels.packColumns(weights, outRow, INPUTS, UNITS, right);
    kernels.multiply(left, 4 * inRow, 16, ROWS, INPUTS, right, UNITS, 0, 0, y, outRow);
  };
  const backward = (): void => {
    kernels.packColumns(y, outRow, BATCH, UNITS, right);
    kernels.multiply(x, 16, inRow, INPUTS, BATCH, right, UNITS, 0, 0, gradient, outRow);
  };
  const fastest = { peak: Infinity, forward: Infinity, gradient: Infinity };
  for (let repeat = 0; repeat < repeats; repeat++) {
    fastest.peak = Math.min(
      fastest.peak,
      timed(() => kernels.turn(TURNS)),
    );
    fastest.forward = Math.min(fastest.forward, timed(forward));
    fastest.gradient = Math.min(fastest.gradient, timed(backward));
  }
  const rate = (operations: number, ms: number): number => operations / ms / 1e6;
  return {
    peak: rate(TURN_OPERATIONS * TURNS, fastest.peak),
    forward: rate(2 * ROWS * INPUTS * UNITS, fastest.forward),
    gradient: rate(2 * BATCH * INPUTS * UNITS, fastest.gradient),
  };
}

function timed(run: () => unknown): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}
