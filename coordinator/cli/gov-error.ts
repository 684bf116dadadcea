import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a proposal cannot be dealt with as asked. */
export class GovError extends FedanchorError<
  'gov/unknown-proposal' | 'gov/wrong-state' | 'gov/nothing-proposed' | 'gov/unknown-parameter'
> {}
