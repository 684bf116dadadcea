import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FedanchorError } from '../../shared/errors.ts';
import { openJobFolder } from '../job-folder.ts';
import type { JobState } from '../round/state.ts';
import { BackupError } from './backup-error.ts';
import type { BackupReport } from './backup-job.ts';
import { blobReferences } from './blob-references.ts';
import {
  abandon,
  blobFile,
  claimFolder,
  copyFileDurably,
  copyJobFiles,
  hashFile,
  logFile,
  readEvents,
  replay,
  verifyBlobs,
} from './job-copy.ts';
import { readNote } from './note.ts';

/** What was restored. */
export interface RestoreReport extends BackupReport {
  /** Where the job stands by its log. */
  readonly phase: JobState['phase'];
  /** Rounds anchored by then. */
  readonly rounds: number;
}

/**
 * Restores a job from a backup and verifies it before it can be opened: its log is replayed, and every blob that the log
 * speaks of is held to its identifier.
 *
 * A job goes on from where its backup was made. Rounds that were anchored since are on the chain and not in the backup:
 * the chain will take no second record for them, so restore the latest backup there is.
 *
 * @param source - a backup made by `backupJob`
 * @param folder - the job's new folder, such as `<coordinator>/jobs/<job>`; new or empty
 * @throws BackupError `backup/not-a-backup`, `backup/target-in-use`, `backup/incomplete`, `backup/damaged`,
 *   `backup/unwritable`
 */
export async function restoreJob(source: string, folder: string): Promise<RestoreReport> {
  const note = await readNote(source);
  await claimFolder(folder);
  try {
    await mkdir(join(folder, 'store'));
    if (!(await copyFileDurably(logFile(source), logFile(folder), false))) {
      throw new BackupError('backup/incomplete', `the log is missing from ${source}: use another backup`, { source });
    }
    if ((await hashFile(logFile(folder))) !== note.logHash) {
      throw new BackupError('backup/damaged', `the log in ${source} is damaged: use another backup`, { source });
    }
    for (const id of note.blobs) {
      if (await copyFileDurably(blobFile(source, id), blobFile(folder, id), false)) continue;
      throw new BackupError('backup/incomplete', `the blob ${id} is missing from ${source}: use another backup`, {
        id,
      });
    }
    const events = await readEvents(folder);
    if (events.length !== note.events) {
      const sentence = `the log in ${source} has ${events.length} events where ${note.events} were backed up: use another backup`;
      throw new BackupError('backup/damaged', sentence, { found: events.length, expected: note.events });
    }
    await copyJobFiles(source, folder);
    const { terms, seeds } = await openJobFolder(folder);
    if (terms.job !== note.job || seeds[0] !== terms.manifest.seedCommitment) {
      throw new BackupError('backup/damaged', `the files in ${source} are not all of job ${note.job}`, {
        job: note.job,
      });
    }
    await verifyBlobs(folder, blobReferences(terms, events), new Set(note.blobs));
    const { phase, progress } = replay(terms, events);
    return { job: note.job, events: events.length, blobs: note.blobs.length, phase, rounds: progress.rounds };
  } catch (error) {
    await abandon(folder);
    if (error instanceof BackupError) throw error;
    const code = error instanceof FedanchorError ? 'backup/damaged' : 'backup/unwritable';
    throw new BackupError(
      code,
      `${source} cannot be restored to ${folder}: ${(error as Error).message}`,
      { source },
      error,
    );
  }
}
