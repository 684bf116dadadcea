import type { Dataset } from '../../data/dataset.ts';
import type { RunResult } from '../run-result.ts';
import type { RunSpec } from '../run-spec.ts';

/** What a thread that makes runs is started with. */
export interface RunThreadStart {
  /** The data of all its runs; the inputs lie in memory that threads share. */
  readonly dataset: Dataset;
  /** Threads that one run may compute with. */
  readonly threads: number;
  /** What paths in specifications are relative to. */
  readonly baseFolder: string;
}

/** A run that a thread is to make. */
export interface RunRequest {
  /** What is to be run. */
  readonly spec: RunSpec;
  /** Empty folder for the state of the run's clients. */
  readonly folder: string;
}

/** What a thread says of the run it was given last. */
export type RunMessage =
  | { readonly kind: 'round'; readonly round: number }
  | { readonly kind: 'result'; readonly result: RunResult }
  /** It could not be made; `disk`: because nothing can be written. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly disk: boolean };
