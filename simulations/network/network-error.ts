import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a network cannot be simulated as it is described, or the job on it cannot go on. */
export class NetworkError extends FedanchorError<
  'network/bad-setting' | 'network/job-failed' | 'network/no-more-rounds' | 'network/stalled'
> {}
