import type { BatchWork, Network, TestPart, TestWork } from './network.ts';

/** Gradients to compute: each unit is done by one thread. */
export interface GradientWork {
  /** What is asked. */
  readonly kind: 'gradients';
  /** All examples. */
  readonly inputs: Float32Array;
  /** Batches at one model. */
  readonly units: readonly { readonly weights: number; readonly batches: readonly BatchWork[] }[];
}

/** Examples to test a model on: each unit is done by one thread. */
export interface EvaluationWork {
  /** What is asked. */
  readonly kind: 'evaluation';
  /** All examples. */
  readonly inputs: Float32Array;
  /** Address of the model. */
  readonly weights: number;
  /** Consecutive examples. */
  readonly units: readonly TestWork[];
}

/** What threads are asked together. */
export type Work = GradientWork | EvaluationWork;

/** What became of one unit. */
export type UnitResult =
  /** The mean losses of its batches. */
  | { readonly unit: number; readonly losses: readonly number[] }
  /** How the model did. */
  | { readonly unit: number; readonly part: TestPart };

/**
 * Does units until none is left. Who does which shows in no result.
 *
 * @param next - counts the units that were taken, shared by the threads
 */
export function runShare(network: Network, work: Work, next: Int32Array): UnitResult[] {
  const results: UnitResult[] = [];
  for (let unit = Atomics.add(next, 0, 1); unit < work.units.length; unit = Atomics.add(next, 0, 1)) {
    results.push(runUnit(network, work, unit));
  }
  return results;
}

function runUnit(network: Network, work: Work, unit: number): UnitResult {
  if (work.kind === 'gradients') {
    const { weights, batches } = work.units[unit] as GradientWork['units'][number];
    return { unit, losses: network.gradients(weights, work.inputs, batches) };
  }
  return { unit, part: network.test(work.weights, work.inputs, work.units[unit] as TestWork) };
}
