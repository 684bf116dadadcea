import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FedanchorError } from '../../shared/errors.ts';
import type { Log } from '../log.ts';
import { createFreeBytes } from './free-bytes.ts';

/** Thrown in place of a write while storage does not take any; nothing was kept, and asking again later may do. */
export class StorageError extends FedanchorError<'coordinator/storage-unavailable'> {}

/** Whether a job's storage can be written. */
export type StorageStatus =
  | { readonly state: 'available' }
  | {
      /** It cannot: no updates are taken, and no deadline passes, until it can. */
      readonly state: 'unavailable';
      /** Since when, in milliseconds since 1970. */
      readonly since: number;
      /** Why, in words. */
      readonly reason: string;
    };

/** Watches over the storage of one job: what fails is noticed, what would fill the disk is refused before it does. */
export interface StorageHealth {
  /** Whether storage can be written, as far as is known. */
  readonly status: StorageStatus;
  /**
   * Makes a write that can wait, such as a part of an update: only while storage is available, and never into the
   * reserve that is kept for the log.
   *
   * @param bytes - how much it writes
   * @throws StorageError; what `write` throws for other reasons
   */
  take<T>(bytes: number, write: () => Promise<T>): Promise<T>;
  /**
   * Makes a write of the log: it is always tried.
   *
   * @throws StorageError; what `write` throws for other reasons
   */
  keep<T>(write: () => Promise<T>): Promise<T>;
  /** Looks now whether storage can be written. */
  probe(): Promise<StorageStatus>;
  /** Calls a listener whenever storage can be written again; returns the way to stop it. */
  onRecovered(listener: () => void): () => void;
}

/** What watching storage needs. */
export interface StorageHealthOptions {
  /** The folder that everything lies in. */
  readonly folder: string;
  /** Where to tell when storage fails and recovers. */
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Bytes that are left free for the log; default 16 MiB. */
  readonly reserveBytes?: number;
  /** Pause between two looks while storage is not available; default one second. */
  readonly probeEveryMs?: number;
  /** How long a write may take before storage counts as unavailable until it can be written again; default 10 seconds. */
  readonly slowAfterMs?: number;
  /** Free bytes of the folder's file system; default by asking it. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Proves that the folder can be written; default by writing a small file through to the disk. */
  readonly writeProbe?: (folder: string) => Promise<void>;
}

/** What a file system says when it cannot be written; anything else is not about storage. */
const STORAGE_CODES: readonly unknown[] = [
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ENXIO',
  'ENODEV',
  'ESTALE',
  'EFBIG',
  'store/write-failed',
];

const RESERVE_BYTES = 16 * 2 ** 20;
const PROBE_BYTES = 4096;
const SLOW_AFTER_MS = 10_000;

/** Creates the watch; storage counts as available until a write says otherwise. */
export function createStorageHealth(options: StorageHealthOptions): StorageHealth {
  const { folder, log, now, signal, reserveBytes = RESERVE_BYTES, probeEveryMs = 1000 } = options;
  const { slowAfterMs = SLOW_AFTER_MS } = options;
  const { freeBytes = createFreeBytes(), writeProbe = writeSmallFile } = options;
  const listeners = new Set<() => void>();
  let status: StorageStatus = { state: 'available' };
  let needBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const fail = (reason: string): StorageError => {
    if (status.state === 'available') {
      status = { state: 'unavailable', since: now(), reason };
      log.error({ folder, reason }, 'storage cannot be written: no updates are taken until it can');
      probeLater();
    }
    return unavailable(folder, reason);
  };
  const probeLater = (): void => {
    if (signal.aborted) return;
    timer = setTimeout(() => void probe(), probeEveryMs).unref();
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });

  /** Why so much cannot be written without touching the reserve; undefined where it can. */
  const shortage = async (bytes: number): Promise<string | undefined> => {
    const free = await freeBytes(folder);
    if (free - bytes >= reserveBytes) return undefined;
    return `${free} bytes are free, ${bytes} are to be written and ${reserveBytes} are kept for the log`;
  };

  const probe = async (): Promise<StorageStatus> => {
    clearTimeout(timer);
    const before = status;
    let reason: string | undefined;
    try {
      await writeProbe(folder);
      reason = await shortage(needBytes);
    } catch (error) {
      reason = (error as Error).message;
    }
    if (reason !== undefined) fail(reason);
    // Whoever failed while this looked knows better.
    else if (status === before && status.state === 'unavailable') {
      status = { state: 'available' };
      needBytes = 0;
      log.info({ folder }, 'storage can be written again');
      for (const listener of listeners) listener();
    }
    if (status.state === 'unavailable') probeLater();
    return status;
  };

  const attempt = async <T>(write: () => Promise<T>): Promise<T> => {
    // A disk that hangs says nothing: whoever waits for it must not keep others waiting, nor fill the memory.
    const slow = setTimeout(() => fail(`a write has not ended after ${slowAfterMs} ms`), slowAfterMs).unref();
    try {
      return await write();
    } catch (error) {
      if (isAboutStorage(error)) throw fail((error as Error).message);
      throw error;
    } finally {
      clearTimeout(slow);
    }
  };

  return {
    get status() {
      return status;
    },
    take: async (bytes, write) => {
      if (status.state === 'unavailable') throw unavailable(folder, status.reason);
      const reason = await shortage(bytes);
      if (reason !== undefined) {
        // There must be room for at least what was refused, or the next try would end as this one.
        needBytes = Math.max(needBytes, bytes);
        throw fail(reason);
      }
      return attempt(write);
    },
    keep: attempt,
    probe,
    onRecovered: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function isAboutStorage(error: unknown): boolean {
  return error instanceof Error && STORAGE_CODES.includes((error as NodeJS.ErrnoException).code);
}

function unavailable(folder: string, reason: string): StorageError {
  return new StorageError(
    'coordinator/storage-unavailable',
    `the coordinator cannot store anything now (${reason}): it goes on by itself once ${folder} can be written`,
    { folder, reason },
  );
}

async function writeSmallFile(folder: string): Promise<void> {
  const path = join(folder, `.probe-${randomUUID()}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      // A full disk takes an empty file.
      await file.writeFile(Buffer.alloc(PROBE_BYTES, 1));
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}
