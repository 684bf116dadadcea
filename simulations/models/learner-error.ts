import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a model cannot be built as an experiment describes it, or is asked to learn from what are no examples. */
export class LearnerError extends FedanchorError<
  | 'learner/bad-option'
  | 'learner/bad-label'
  | 'learner/bad-example'
  | 'learner/bad-length'
  | 'learner/too-large'
  | 'learner/thread-failed'
  | 'learner/closed'
> {}
