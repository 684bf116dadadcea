import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ClientStatus, statusSchema } from './client-status.ts';

/** Pause between two writings, in milliseconds: progress comes with every batch. */
const PAUSE_MS = 250;

/** Keeps a client's status in a file, for other processes. */
export interface StatusFile {
  /** Changes what it says; it is written soon. */
  update(changes: Partial<ClientStatus>): void;
  /** Writes what it says last. */
  close(): Promise<void>;
}

/**
 * Opens a status file. It is advisory: one that cannot be written stops nothing, and nothing is read from it but to be
 * shown. Written beside and renamed, so that a reader finds all of it.
 *
 * @param file - where it lies
 * @param first - what it says to begin with
 * @param onFailure - told of a file that cannot be written
 */
export function openStatusFile(
  file: string,
  first: Omit<ClientStatus, 'writtenAt'>,
  onFailure: (error: Error) => void,
): StatusFile {
  let status: Omit<ClientStatus, 'writtenAt'> = first;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = (): void => {
    timer = undefined;
    const text = JSON.stringify({ ...status, writtenAt: new Date().toISOString() });
    writing = writing
      .then(async () => {
        const aside = `${file}.${randomUUID()}.tmp`;
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await writeFile(aside, text, { mode: 0o600 });
        await rename(aside, file);
      })
      .catch(onFailure);
  };
  write();
  return {
    update: (changes) => {
      status = { ...status, ...changes };
      timer ??= setTimeout(write, PAUSE_MS).unref();
    },
    close: async () => {
      clearTimeout(timer);
      write();
      await writing;
    },
  };
}

/** Reads a status file; undefined where there is none, or what is there is none. */
export async function readStatusFile(file: string): Promise<ClientStatus | undefined> {
  try {
    return statusSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
