import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when an experiment cannot be understood, begun or gone on with. */
export class ExperimentError extends FedanchorError<
  | 'experiment/invalid'
  | 'experiment/impossible'
  | 'experiment/nothing-to-run'
  | 'experiment/unknown-filter'
  | 'experiment/own-file'
  | 'experiment/exists'
  | 'experiment/folder-in-use'
  | 'experiment/not-there'
  | 'experiment/changed'
  | 'experiment/other-program'
  | 'experiment/damaged'
  | 'experiment/cannot-write'
  | 'experiment/interrupted'
  | 'experiment/worker-lost'
  | 'experiment/redis'
  | 'experiment/refused'
> {}
