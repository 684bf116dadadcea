import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a partition does not exist, or examples cannot be cut as asked. */
export class PartitionError extends FedanchorError<
  | 'partition/unknown'
  | 'partition/unknown-parameter'
  | 'partition/bad-parameter'
  | 'partition/bad-file'
  | 'partition/too-few-examples'
  | 'partition/too-few-groups'
  | 'partition/no-groups'
  | 'partition/empty-client'
  | 'partition/bad-cut'
> {}
