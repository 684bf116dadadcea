import { setTimeout as delay } from 'node:timers/promises';

/** How often and how long apart something is tried again. */
export interface RetryOptions {
  /** Tries in all, at least 1. */
  readonly tries: number;
  /** Pause after the first failure, doubled after each further one. */
  readonly firstDelayMs: number;
  /** Longest pause. */
  readonly mostDelayMs: number;
}

/** The pause after so many failures: `firstDelayMs * 2^(failures - 1)`, at most `mostDelayMs`. */
export function backoffMs({ firstDelayMs, mostDelayMs }: Omit<RetryOptions, 'tries'>, failures: number): number {
  return Math.min(mostDelayMs, firstDelayMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
}

/**
 * Tries again what failed for a passing reason.
 *
 * @param work - one try
 * @param isPassing - whether an error may go away by itself
 * @param options - tries and pauses
 * @param signal - ends the waiting
 * @throws the last error of `work`, or the signal's reason
 */
export async function retrying<T>(
  work: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
  options: RetryOptions,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (failures >= options.tries || !isPassing(error)) throw error;
      await delay(backoffMs(options, failures), undefined, signal ? { signal } : {});
    }
  }
}
