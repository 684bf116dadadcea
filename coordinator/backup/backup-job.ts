import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FedanchorError } from '../../shared/errors.ts';
import { writeDurably } from '../blobs/files.ts';
import { openJobFolder } from '../job-folder.ts';
import { copyStore } from '../stores/copy-store.ts';
import { BackupError } from './backup-error.ts';
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
  verifyBlobs,
} from './job-copy.ts';
import { type BackupNote, noteFile } from './note.ts';

/** How a backup is made. */
export interface BackupOptions {
  /**
   * Links blobs in place of copying them, where the target is on the same disk: fast and small, and no protection
   * against a disk that fails. Default false.
   */
  readonly linkBlobs?: boolean;
}

/** What a backup holds. */
export interface BackupReport {
  /** The job. */
  readonly job: BackupNote['job'];
  /** Events of its log. */
  readonly events: number;
  /** Blobs. */
  readonly blobs: number;
}

/**
 * Copies a job while its coordinator runs, or while it does not. The log is copied first, as it stands at one moment;
 * what it speaks of was stored before it spoke of it, and is copied after. The backup holds the job's secret seeds.
 *
 * @param folder - the job's folder
 * @param target - a folder that is new or empty
 * @throws BackupError `backup/target-in-use`, `backup/incomplete`, `backup/damaged`, `backup/unwritable`; JobFolderError
 */
export async function backupJob(folder: string, target: string, options: BackupOptions = {}): Promise<BackupReport> {
  const { terms } = await openJobFolder(folder);
  await claimFolder(target);
  try {
    await mkdir(join(target, 'store'));
    await copyStore(join(folder, 'store'), join(target, 'store'));
    const events = await readEvents(target);
    const references = blobReferences(terms, events);
    const blobs: BackupNote['blobs'] = [];
    for (const { id } of references) {
      // Updates that are past their retention may go at any time, also now.
      if (await copyFileDurably(blobFile(folder, id), blobFile(target, id), options.linkBlobs ?? false)) blobs.push(id);
    }
    await copyJobFiles(folder, target);
    await verifyBlobs(target, references, new Set(blobs));
    const logHash = await hashFile(logFile(target));
    const note: BackupNote = { version: 1, job: terms.job, events: events.length, logHash, blobs };
    await writeDurably(noteFile(target), Buffer.from(JSON.stringify(note)));
    return { job: terms.job, events: events.length, blobs: blobs.length };
  } catch (error) {
    await abandon(target);
    if (error instanceof FedanchorError) throw error;
    const sentence = `the backup to ${target} broke off (${(error as Error).message}): check its disk and permissions`;
    throw new BackupError('backup/unwritable', sentence, { target }, error);
  }
}
