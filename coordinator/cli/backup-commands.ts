import type { Command } from 'commander';
import { backupJob } from '../backup/backup-job.ts';
import { readNote } from '../backup/note.ts';
import { restoreJob } from '../backup/restore-job.ts';
import { jobPath, readJobs } from '../job-shelf.ts';
import { findAmong } from '../operator/find-job.ts';
import { ASKED, requireFolder } from './connect.ts';
import { type OutputOptions, print, reporting, short } from './output.ts';

interface BackupOptions extends OutputOptions {
  readonly dir: string;
  readonly out: string;
  readonly linkBlobs: boolean;
}

interface RestoreOptions extends OutputOptions {
  readonly dir: string;
}

/** Adds `backup` and `restore` to `fedanchor job`. Both work on folders: a coordinator may be running there or not. */
export function registerBackupCommands(job: Command): void {
  job
    .command('backup')
    .description('copy a job to another folder, while its coordinator runs or while it does not')
    .argument('<job>', ASKED)
    .requiredOption('--out <folder>', 'folder to write the backup to, new or empty; it will hold the secret seeds')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--link-blobs', 'link blobs in place of copying them: small, and no help when the disk fails', false)
    .option('--json', 'print JSON', false)
    .action((asked: string, options: BackupOptions) => reporting(options, () => backup(asked, options)));
  job
    .command('restore')
    .description('verify a backup and make it a job of the coordinator again')
    .argument('<backup>', 'folder that fedanchor job backup wrote')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--json', 'print JSON', false)
    .action((source: string, options: RestoreOptions) => reporting(options, () => restore(source, options)));
}

async function backup(asked: string, options: BackupOptions): Promise<void> {
  const { dir, out, linkBlobs } = options;
  await requireFolder(dir);
  const { job } = findAmong(await readJobs(dir), asked);
  const report = await backupJob(jobPath(dir, job), out, { linkBlobs });
  print(options, { ...report, folder: out }, () => [
    `job ${short(job)} is backed up to ${out}: ${report.events} events, ${report.blobs} blobs, all verified`,
    'keep it where the coordinator’s key is kept: it holds the secret seeds of rounds to come',
  ]);
}

async function restore(source: string, options: RestoreOptions): Promise<void> {
  const { dir } = options;
  await requireFolder(dir);
  const { job } = await readNote(source);
  const folder = jobPath(dir, job);
  const report = await restoreJob(source, folder);
  print(options, { ...report, folder }, () => [
    `job ${short(job)} is restored to ${folder}: ${report.phase} after ${report.rounds} rounds, all blobs verified`,
    `a running coordinator serves it after: fedanchor job start ${short(job)} --dir ${dir}; one that starts does so by itself`,
  ]);
}
