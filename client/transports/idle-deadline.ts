/** A time-out that starts anew with every sign of life, so that a large but lively transfer may take its time. */
export interface IdleDeadline {
  /** Aborts when the deadline passes or the outer signal does. */
  readonly signal: AbortSignal;
  /** Whether it was the deadline that aborted. */
  isPassed(): boolean;
  /** A sign of life. */
  extend(): void;
  /** Ends the watch. */
  close(): void;
}

/**
 * Starts a deadline.
 *
 * @param idleTimeoutMs - longest silence
 * @param outer - aborts with it
 */
export function openDeadline(idleTimeoutMs: number, outer?: AbortSignal): IdleDeadline {
  const controller = new AbortController();
  let hasPassed = false;
  const pass = (): void => {
    hasPassed = true;
    controller.abort();
  };
  const follow = (): void => controller.abort(outer?.reason);
  const timer = setTimeout(pass, idleTimeoutMs);
  if (outer?.aborted) follow();
  outer?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    isPassed: () => hasPassed,
    extend: () => {
      timer.refresh();
    },
    close: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', follow);
    },
  };
}
