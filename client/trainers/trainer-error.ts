import { FedanchorError } from '../../shared/errors.ts';

/** What can go wrong while a client trains or evaluates. */
export type TrainerErrorCode =
  | 'trainer/aborted'
  | 'trainer/backend-failed'
  | 'trainer/backend-unavailable'
  | 'trainer/bad-architecture'
  | 'trainer/bad-training'
  | 'trainer/data-mismatch'
  | 'trainer/disposed'
  | 'trainer/diverged'
  | 'trainer/kernel-missing'
  | 'trainer/shape-mismatch';

/** Thrown by trainers: a round's training failed, for the reason that the code states. */
export class TrainerError extends FedanchorError<TrainerErrorCode> {}
