import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { canonicalJson, type Json } from '../../../shared/codec.ts';
import { writing } from '../disk-fault.ts';
import { ExperimentError } from '../experiment-error.ts';
import type { FolderFacts } from './folder-facts.ts';
import { whatChanged } from './what-changed.ts';

/** What a folder of results says of the experiment that they are of. */
const EXPERIMENT_FILE = 'experiment.json';
const LOCK_FILE = 'lock';
/** Folder of the state of clients, within the folder of results. */
const SCRATCH_FOLDER = 'scratch';

/** A folder of results that is this process's own. */
export interface ExperimentFolder {
  /** Path. */
  readonly path: string;
  /** Where runs keep the state of clients. */
  readonly scratch: string;
  /** Gives it back. */
  close(): Promise<void>;
}

/**
 * Makes a folder of results, or goes on with one.
 *
 * @throws ExperimentError `experiment/exists` where something is there and it is not gone on with, `experiment/changed` where
 * it is of another experiment, `experiment/other-program`, `experiment/folder-in-use`, `experiment/cannot-write`
 */
export async function openExperimentFolder(
  path: string,
  facts: FolderFacts,
  resume: boolean,
): Promise<ExperimentFolder> {
  await writing(() => mkdir(path, { recursive: true }));
  const before = await readFolderFacts(path);
  if (!resume && (await readdir(path)).length > 0) {
    const remedy =
      before === undefined ? 'name an empty folder' : 'go on with it with --resume, or name another folder';
    throw new ExperimentError('experiment/exists', `${path} is not empty: ${remedy}`, { folder: path });
  }
  if (before !== undefined) refuseOther(path, before, facts);
  const unlock = await lock(path);
  const scratch = join(path, SCRATCH_FOLDER);
  try {
    // What a process that was killed left there is of no use to anybody.
    await rm(scratch, { recursive: true, force: true });
    if (before === undefined) {
      const text = `${canonicalJson(facts as unknown as Json)}\n`;
      await writing(() => writeFile(join(path, EXPERIMENT_FILE), text));
    }
  } catch (error) {
    await unlock();
    throw error;
  }
  return {
    path,
    scratch,
    close: async () => {
      await rm(scratch, { recursive: true, force: true });
      await unlock();
    },
  };
}

/**
 * What a folder of results says of its experiment; undefined where there is no such folder.
 *
 * @throws ExperimentError `experiment/damaged`
 */
export async function readFolderFacts(path: string): Promise<FolderFacts | undefined> {
  const file = join(path, EXPERIMENT_FILE);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as FolderFacts;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const sentence = `${file} cannot be read: ${(error as Error).message}: begin again in another folder`;
    throw new ExperimentError('experiment/damaged', sentence, { file }, error);
  }
}

function refuseOther(path: string, before: FolderFacts, now: FolderFacts): void {
  const changes = whatChanged(before, now);
  if (changes.length > 0) {
    const sentence = `${path} holds results of another experiment: ${changes.join('; ')}: change it back, or name another folder`;
    throw new ExperimentError('experiment/changed', sentence, { folder: path, changes });
  }
  if (before.program !== now.program) {
    const sentence = `${path} was begun by fedanchor ${before.program}, and this is ${now.program}: results of the two do not belong in one table; use that version, or name another folder`;
    throw new ExperimentError('experiment/other-program', sentence, { folder: path });
  }
}

/** Keeps other processes out of a folder; a process that was killed keeps nobody out. */
async function lock(path: string): Promise<() => Promise<void>> {
  const file = join(path, LOCK_FILE);
  const mine = `${process.pid} ${hostname()}\n`;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(mine).finally(() => handle.close());
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        await writing(() => Promise.reject(error));
      }
    }
    const [pid = '', host = ''] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    if (host !== '' && (host !== hostname() || isAlive(Number(pid)))) {
      const sentence = `${path} is in use by process ${pid} on ${host}: wait for it, or remove ${file} if there is none`;
      throw new ExperimentError('experiment/folder-in-use', sentence, { folder: path });
    }
    await rm(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
