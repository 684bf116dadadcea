import { FedanchorError } from '../errors.ts';

/** Thrown when an aggregation engine cannot do what it is asked to, whatever the updates hold. */
export class EngineError extends FedanchorError<
  'engine/no-files' | 'engine/unknown-row' | 'engine/unreadable-row' | 'engine/thread-failed' | 'engine/closed'
> {}
