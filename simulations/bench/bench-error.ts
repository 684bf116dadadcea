import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a benchmark cannot be run, or what it measured is not what it meant to measure. */
export class BenchError extends FedanchorError<
  | 'bench/worker-failed'
  | 'bench/not-answered'
  | 'bench/different-model'
  | 'bench/refused'
  | 'bench/not-writable'
  | 'bench/disk-full'
  | 'bench/does-not-hold'
> {}
