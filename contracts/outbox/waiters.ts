import { stopped } from './failure.ts';
import type { OutboxRow } from './outbox-store.ts';

type Settled = Exclude<OutboxRow, { state: 'pending' }>;

/** Whoever waits for rows to be done with. */
export interface Waiters {
  /** Resolves with the row once it is settled; rejects with `outbox/stopped` if the outbox ends first. */
  wait(id: string): Promise<Settled>;
  /** Lets go of whoever waits for this row. */
  settle(row: Settled): void;
}

/** A list of waiters that ends with the signal. */
export function createWaiters(signal: AbortSignal | undefined): Waiters {
  const waiting = new Map<
    string,
    { promise: Promise<Settled>; resolve(row: Settled): void; reject(error: Error): void }
  >();
  signal?.addEventListener(
    'abort',
    () => {
      for (const [id, { reject }] of waiting) reject(stopped(id));
      waiting.clear();
    },
    { once: true },
  );
  return {
    wait(id) {
      if (signal?.aborted) return Promise.reject(stopped(id));
      const known = waiting.get(id);
      if (known !== undefined) return known.promise;
      let resolve: (row: Settled) => void = () => undefined;
      let reject: (error: Error) => void = () => undefined;
      const promise = new Promise<Settled>((onSettled, onStopped) => {
        resolve = onSettled;
        reject = onStopped;
      });
      waiting.set(id, { promise, resolve, reject });
      return promise;
    },
    settle(row) {
      waiting.get(row.id)?.resolve(row);
      waiting.delete(row.id);
    },
  };
}
