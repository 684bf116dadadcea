import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { utf8 } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { claimFile, createFolder, replaceFile } from '../journal/durable-files.ts';
import { isRunning, type ProcessMark, processMark } from './process-mark.ts';

/** Thrown when another process takes part in the job with the same state folder and key. */
export class JobLockError extends FedanchorError<'lock/held'> {}

const markSchema = z.strictObject({ pid: z.number().int().positive(), startedAt: z.string() });

/**
 * Makes sure that one process at a time takes part in a job: the file names the process that does. One that a killed
 * process has left is replaced. Should two processes ever run in spite of it, the journal still signs one statement for
 * each attempt; the lock spares the second one's work.
 *
 * @param file - one for each participant and job
 * @returns gives it free again
 * @throws JobLockError `lock/held`
 */
export async function lockJob(file: string): Promise<() => Promise<void>> {
  await createFolder(dirname(file));
  const mine = JSON.stringify(await processMark());
  const unlock = async (): Promise<void> => {
    if ((await readText(file)) === mine) await rm(file, { force: true });
  };
  for (;;) {
    // Written whole and linked under its name: of two that start at once, one fails here.
    if (await claimFile(file, utf8(mine))) return unlock;
    const found = await readText(file);
    const holder = markOf(found);
    if (holder !== undefined && (await isRunning(holder))) throw held(file, holder);
    if (found === undefined) continue;
    // Only who holds this second lock replaces a leftover, so that nobody takes a fresh lock for the leftover it replaced.
    const release = await lockJob(`${file}.takeover`);
    try {
      if ((await readText(file)) !== found) continue;
      await replaceFile(file, utf8(mine));
      return unlock;
    } finally {
      await release();
    }
  }
}

/** Who holds a lock, if a process that runs does. */
export async function lockHolder(file: string): Promise<ProcessMark | undefined> {
  const holder = markOf(await readText(file));
  return holder !== undefined && (await isRunning(holder)) ? holder : undefined;
}

/** Whether a lock is there that no running process holds. */
export async function isLeftover(file: string): Promise<boolean> {
  const found = await readText(file);
  return found !== undefined && (await lockHolder(file)) === undefined;
}

function held(file: string, { pid }: ProcessMark): JobLockError {
  return new JobLockError(
    'lock/held',
    `process ${pid} takes part in this job from the same folder: stop it first, or remove ${file} if it is something else`,
    { file, pid },
  );
}

function markOf(text: string | undefined): ProcessMark | undefined {
  try {
    return markSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
