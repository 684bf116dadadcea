import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when `fedanchor aggregate` is given a file or a setting that it cannot use. */
export class AggregateFileError extends FedanchorError<
  'aggregate/unknown-format' | 'aggregate/unreadable' | 'aggregate/bad-input' | 'aggregate/unwritable'
> {}
