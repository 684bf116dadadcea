/** When to work next. */
export interface Pause {
  /** How long to rest. */
  readonly ms: number;
  /** Whether the process must stay alive for it. */
  readonly holdsProcess: boolean;
}

/**
 * Repeats a piece of work, with the rest that each turn asks for, until the signal is aborted. The work must not throw.
 *
 * @returns a function that ends the present rest at once
 */
export function startTicker(
  work: () => Promise<Pause>,
  firstPause: Pause,
  signal: AbortSignal | undefined,
): () => void {
  let woken = false;
  let endRest: (() => void) | undefined;
  const wake = (): void => {
    woken = true;
    endRest?.();
  };

  const rest = ({ ms, holdsProcess }: Pause): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (!holdsProcess) timer.unref();
      endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async (): Promise<void> => {
    for (let pause = firstPause; ; pause = await work()) {
      if (!woken && !signal?.aborted) await rest(pause);
      endRest = undefined;
      woken = false;
      if (signal?.aborted) return;
    }
  };
  signal?.addEventListener('abort', wake, { once: true });
  void run();
  return wake;
}
