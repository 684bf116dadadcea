import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, copyFile, link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { blobPathOf } from '../blobs/file-blob-store.ts';
import { readIfPresent, syncFolder, writeDurably } from '../blobs/files.ts';
import type { JobEvent } from '../round/events.ts';
import { initialState, type JobState, jobRules } from '../round/state.ts';
import { step } from '../round/step.ts';
import { openLmdbStores } from '../stores/lmdb-store.ts';
import { BackupError } from './backup-error.ts';
import { type BlobReference, isIntact } from './blob-references.ts';

/** Files of a job's folder beside its store and blobs, the one that makes the folder a job last. */
const JOB_FILES: readonly string[] = ['seed-secret', 'held', 'manifest.json', 'contracts.json'];

/**
 * Makes a folder that is new or empty.
 *
 * @throws BackupError `backup/target-in-use`, `backup/unwritable`
 */
export async function claimFolder(folder: string): Promise<void> {
  const found = await makeFolder(folder);
  if (found.length === 0) return;
  throw new BackupError(
    'backup/target-in-use',
    `${folder} is not empty: name a folder that is not there yet, or move this one away`,
    { folder },
  );
}

/** Makes a folder and returns what is in it already. */
async function makeFolder(folder: string): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await readdir(folder);
  } catch (error) {
    const sentence = `${folder} cannot be made a folder (${(error as Error).message}): name another, or see to its permissions`;
    throw new BackupError('backup/unwritable', sentence, { folder }, error);
  }
}

/** Copies the small files of a job, of which only the held mark may be missing. */
export async function copyJobFiles(from: string, to: string): Promise<void> {
  for (const name of JOB_FILES) {
    const bytes = await readIfPresent(join(from, name));
    if (bytes === undefined && name === 'held') continue;
    if (bytes === undefined) throw new BackupError('backup/incomplete', `${from} has no ${name}`, { from, name });
    await writeDurably(join(to, name), bytes, name === 'seed-secret' ? 0o600 : 0o666);
  }
}

/** Where a blob of a job lies. */
export function blobFile(folder: string, id: Hex): string {
  return join(folder, 'blobs', blobPathOf(id));
}

/** Where a job's log lies. */
export function logFile(folder: string): string {
  return join(folder, 'store', 'data.mdb');
}

/** SHA-256 of a file of any length. */
export async function hashFile(path: string): Promise<Hex> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `0x${hash.digest('hex')}`;
}

/**
 * Copies a file through to the disk, or links it where asked and possible.
 *
 * @returns whether it was there
 */
export async function copyFileDurably(from: string, to: string, asLink: boolean): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true });
  try {
    if (asLink && (await tryLink(from, to))) return true;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const file = await open(to, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(to));
  return true;
}

/** Whether a link could be made; another disk, or one without links, takes copies only. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** All events of a job's store, in order. */
export async function readEvents(folder: string): Promise<JobEvent[]> {
  const stores = openLmdbStores(join(folder, 'store'));
  try {
    const events: JobEvent[] = [];
    for await (const event of stores.events.read()) events.push(event);
    return events;
  } finally {
    await stores.close();
  }
}

/** Where a job stands after these events. */
export function replay({ job, manifest }: JobTerms, events: readonly JobEvent[]): JobState {
  const rules = jobRules(job, manifest);
  return events.reduce((state, event) => step(rules, state, event).state, initialState(manifest) as JobState);
}

/**
 * Holds stored blobs to their identifiers.
 *
 * @param listed - which of them are to be there; those that a job cannot do without must be, listed or not
 * @throws BackupError `backup/incomplete`, `backup/damaged`
 */
export async function verifyBlobs(
  folder: string,
  references: readonly BlobReference[],
  listed: ReadonlySet<Hex>,
): Promise<void> {
  for (const reference of references) {
    const { id, kind, isRequired } = reference;
    if (!isRequired && !listed.has(id)) continue;
    const bytes = await readIfPresent(blobFile(folder, id));
    if (bytes === undefined) {
      throw new BackupError('backup/incomplete', `the ${kind} ${id} is missing: use another backup`, { id, kind });
    }
    if (!isIntact(reference, bytes)) {
      throw new BackupError('backup/damaged', `the ${kind} ${id} is damaged: use another backup`, { id, kind });
    }
  }
}

/** Removes what was begun, so that nobody takes it for the whole. */
export async function abandon(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
