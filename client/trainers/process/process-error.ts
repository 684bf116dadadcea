import { FedanchorError } from '../../../shared/errors.ts';

/** What can go wrong with a trainer that is a program of its own. `docs/trainers.md` says of each what to do. */
export type ProcessTrainerErrorCode =
  | 'trainer/process-bad-command'
  | 'trainer/process-bad-environment'
  | 'trainer/process-bad-file'
  | 'trainer/process-bad-output'
  | 'trainer/process-bad-tensors'
  | 'trainer/process-bad-version'
  | 'trainer/process-data-changed'
  | 'trainer/process-exited'
  | 'trainer/process-not-finite'
  | 'trainer/process-not-started'
  | 'trainer/process-reported'
  | 'trainer/process-sandbox-unavailable'
  | 'trainer/process-timeout'
  | 'trainer/process-too-large';

/**
 * Thrown where a trainer's program fails: for that round only, since the next one starts it afresh.
 *
 * Its message goes to the coordinator with the round's decline, so it never holds what the program printed or any other
 * word of its own choice but the code that it reports: that goes to the client's log.
 */
export class ProcessTrainerError extends FedanchorError<ProcessTrainerErrorCode> {}
