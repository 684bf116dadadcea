import type { Rng } from '../../../shared/rng.ts';
import type { LearnerKernels } from '../kernels/learner-kernels.ts';

/** Consecutive rows of a batch that are one client's. */
export interface Segment {
  /** First row. */
  readonly row: number;
  /** Rows. */
  readonly rows: number;
  /** Address of the client's gradient. */
  readonly gradient: number;
  /** Whether they are the client's first: else what they give is added to the gradient. */
  readonly first: boolean;
  /** For what is random in training; null where nothing is. */
  readonly rng: Rng | null;
}

/** One layer over the buffers of a thread. Addresses are in bytes. */
export interface Layer {
  /**
   * From what comes in to what goes out.
   *
   * @param weights - address of the model
   * @param rows - examples
   * @param segments - whose they are; null where nothing is trained
   */
  forward(weights: number, rows: number, segments: readonly Segment[] | null): void;
  /** From slopes of what went out to those of what came in, and to gradients. */
  backward(weights: number, rows: number, segments: readonly Segment[]): void;
}

/** What a layer works with. */
export interface Bench {
  /** The kernels. */
  readonly kernels: LearnerKernels;
  /** The memory that addresses are of. */
  readonly memory: WebAssembly.Memory;
  /** Address of each buffer's values. */
  readonly values: readonly number[];
  /** Address of each buffer's slopes; 0 for the inputs, whose slopes nobody wants. */
  readonly slopes: readonly number[];
  /** Space for a packed left factor. */
  readonly left: number;
  /** Space for a packed right factor. */
  readonly right: number;
  /** Space for another one. */
  readonly otherRight: number;
  /** Space for windows. */
  readonly windows: number;
}

/** Bytes of a value. */
export const VALUE = 4;

/** Bytes of a packed left factor. */
export function leftBytes(rows: number, steps: number): number {
  return Math.ceil(rows / 4) * 4 * steps * VALUE;
}

/** Bytes of a packed right factor. */
export function rightBytes(steps: number, columns: number): number {
  return Math.ceil(columns / 8) * 8 * steps * VALUE;
}
