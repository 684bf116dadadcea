import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';

/** One thing that is looked after again and again; doing it again must change nothing. */
export interface Duty {
  /** What it is, for people. */
  readonly name: string;
  /** Does what is due. */
  readonly work: () => Promise<void>;
}

/**
 * Does each duty in turn, now and every so often, until the signal. One that fails is told of once and tried again with the
 * next look, and keeps no other from being done.
 */
export async function keepLooking(
  duties: readonly Duty[],
  everyMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const troubles = new Map<string, string>();
  while (!signal.aborted) {
    for (const { name, work } of duties) {
      try {
        await work();
        if (troubles.delete(name)) log.info({ duty: name }, 'goes on');
      } catch (error) {
        const { message } = error as Error;
        if (signal.aborted) return;
        if (troubles.get(name) !== message) log.warn({ duty: name, error: message }, 'could not be done, tried again');
        troubles.set(name, message);
      }
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
