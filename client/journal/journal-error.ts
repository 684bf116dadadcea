import { FedanchorError } from '../../shared/errors.ts';
import type { SubmissionKey } from './submission-journal.ts';

/** Thrown by journals. */
export class JournalError extends FedanchorError<
  'journal/answered' | 'journal/damaged' | 'journal/not-signed' | 'journal/unavailable'
> {}

/** The error for signing again what has its receipt. */
export function alreadyAnswered({ round, attempt }: SubmissionKey): JournalError {
  return new JournalError(
    'journal/answered',
    `round ${round}, attempt ${attempt}, has its receipt already: nothing more is signed for it`,
    { round, attempt },
  );
}

/** The error for a receipt that answers nothing. */
export function notSigned({ round, attempt }: SubmissionKey): JournalError {
  return new JournalError(
    'journal/not-signed',
    `a receipt for round ${round}, attempt ${attempt}, answers nothing that was signed here`,
    { round, attempt },
  );
}
