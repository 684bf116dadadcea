import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when one party asks for more than its share. */
export class LimitError extends FedanchorError<'request/too-many'> {
  /** Milliseconds after which it may be asked again. */
  readonly retryAfterMs: number;

  /**
   * @param what - what there was too much of
   * @param retryAfterMs - milliseconds after which it may be asked again
   */
  constructor(what: string, retryAfterMs: number) {
    super('request/too-many', `too many ${what}: ask again in ${retryAfterMs} ms`, { what, retryAfterMs });
    this.retryAfterMs = retryAfterMs;
  }
}
