import { FedanchorError } from '../errors.ts';

/** Thrown when the vectors, matrices or counts handed to an aggregation cannot be aggregated. */
export class AggregationError extends FedanchorError<
  | 'aggregation/empty'
  | 'aggregation/mixed-lengths'
  | 'aggregation/non-finite'
  | 'aggregation/out-of-range'
  | 'aggregation/bad-samples'
  | 'aggregation/too-large'
  | 'aggregation/negative-share'
  | 'aggregation/bad-update-bits'
> {}
