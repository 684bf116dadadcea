import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a job's published data cannot be had, are not what was published, or cannot be trained on exactly. */
export class PublicDataError extends FedanchorError<
  | 'public-data/invalid'
  | 'public-data/too-large'
  | 'public-data/unavailable'
  | 'public-data/wrong-bytes'
  | 'public-data/wrong-task'
  | 'public-data/empty-shard'
  | 'public-data/not-exact'
> {}
