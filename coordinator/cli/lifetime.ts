const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does some work that ends, with all that it has opened, when it is done or the process is asked to stop.
 *
 * @param work - gets the signal of its end
 */
export async function withinLifetime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const lifetime = new AbortController();
  const stop = (): void => lifetime.abort();
  for (const name of STOP_SIGNALS) process.once(name, stop);
  try {
    return await work(lifetime.signal);
  } finally {
    lifetime.abort();
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
  }
}
