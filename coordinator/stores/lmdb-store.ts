import { open, type RootDatabase } from 'lmdb';
import type { OutboxRow, OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { JobEvent } from '../round/events.ts';
import type { EventStore } from './event-store.ts';

/** Thrown when the store's folder cannot be used, or does not take a write; nothing of that write is kept. */
export class StoreError extends FedanchorError<'store/unavailable' | 'store/write-failed'> {}

/** The coordinator's durable stores, all in one LMDB environment. */
export interface LmdbStores {
  /** The job's event log. */
  readonly events: EventStore;
  /** Transactions on their way. */
  readonly outbox: OutboxStore;
  /** Flushes and closes everything. */
  close(): Promise<void>;
}

/**
 * Opens the stores in a folder.
 *
 * LMDB writes copy-on-write pages and syncs each commit, so a reader finds either the state before a write or the one
 * after it, whatever moment the process was killed at, and leaves no lock behind that a restart would have to break.
 *
 * @param folder - created if missing
 * @throws StoreError `store/unavailable` if the folder cannot be written
 */
export function openLmdbStores(folder: string): LmdbStores {
  let root: RootDatabase<unknown, string>;
  try {
    // Overlapping sync answers a write before the disk has it; an event must be on disk when its receipt leaves. Batches
    // of event turns have a promise that nobody holds: a full disk would reject it and so end the process.
    root = open({ path: folder, overlappingSync: false, eventTurnBatching: false, maxDbs: 4 });
  } catch (cause) {
    throw new StoreError('store/unavailable', `cannot open the store in ${folder}: is the folder writable?`, {}, cause);
  }
  const log = root.openDB<JobEvent, number>({ name: 'events', encoding: 'msgpack', keyEncoding: 'uint32' });
  const rows = root.openDB<OutboxRow, string>({ name: 'outbox', encoding: 'msgpack' });

  return {
    events: {
      append: async (events) => {
        // A child transaction, because one that throws is rolled back; a plain one would keep what came before.
        const written = log.childTransaction(() => {
          // Read under the write lock, so that even a second process on the same log cannot overwrite an event. Keys
          // start at 1: a range that runs backwards does not find 0.
          const [last = 0] = log.getKeys({ reverse: true, limit: 1 });
          events.forEach((event, index) => {
            log.putSync(last + 1 + index, event);
          });
        });
        await committed(folder, written);
      },
      read: async function* () {
        for (const { value } of log.getRange()) yield value;
      },
      close: async () => {},
    },
    outbox: {
      put: async (row) => {
        await committed(folder, rows.put(row.id, row));
      },
      get: async (id) => rows.get(id),
      all: async () => [...rows.getRange()].map(({ value }) => value),
    },
    close: () => root.close(),
  };
}

/** Waits for a commit. Why it failed comes in a promise of its own, which would end the process if nobody waited for it. */
async function committed(folder: string, commit: Promise<unknown>): Promise<void> {
  try {
    await commit;
  } catch (error) {
    const reason = await Promise.resolve((error as { commitError?: Promise<never> }).commitError).catch(
      (inner: Error) => inner,
    );
    throw new StoreError(
      'store/write-failed',
      `the store in ${folder} did not take a write (${(reason ?? (error as Error)).message}): check its disk`,
      { folder },
      reason ?? error,
    );
  }
}
