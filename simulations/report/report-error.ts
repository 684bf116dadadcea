import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a report cannot be made of the results that are there. */
export class ReportError extends FedanchorError<
  'report/no-results' | 'report/bad-line' | 'report/unknown-run' | 'report/run-twice'
> {}
