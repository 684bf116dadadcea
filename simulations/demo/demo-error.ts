import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a demonstration does not come to its end. */
export class DemoError extends FedanchorError<
  | 'demo/job-failed'
  | 'demo/interrupted'
  | 'demo/watcher-ended'
  | 'demo/not-attested'
  | 'demo/cheat-needs-weights'
  | 'demo/blob-missing'
  | 'demo/not-writable'
> {}

/** What is thrown when the spectator has had enough. */
export function interrupted(): DemoError {
  return new DemoError('demo/interrupted', 'interrupted: everything was stopped');
}
