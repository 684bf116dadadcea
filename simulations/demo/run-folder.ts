import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JobContracts } from '../../coordinator/job-folder.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when the folder for a run cannot be used. */
export class RunFolderError extends FedanchorError<'run-folder/not-empty' | 'run-folder/not-writable'> {}

/** Where a run keeps what it makes. */
export interface RunFolder {
  /** The folder. */
  readonly path: string;
  /** Whether it stays when the run has ended. */
  readonly kept: boolean;
  /** A path inside it. */
  at(...parts: readonly string[]): string;
  /** Writes what `fedanchor verify --run` needs to audit the run later. */
  describe(facts: RunFacts): Promise<void>;
  /** Removes the folder unless it is kept. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a kept run says about itself. */
export interface RunFacts {
  /** EIP-155 chain id. */
  readonly chainId: number;
  /** Addresses. */
  readonly contracts: JobContracts;
  /** The job. */
  readonly job: Hex;
}

/**
 * Makes the folder of a run: the one to keep, which must be new or empty, or a temporary one.
 *
 * @throws RunFolderError `run-folder/not-empty`, `run-folder/not-writable`
 */
export async function openRunFolder(keep: string | undefined): Promise<RunFolder> {
  const path = keep === undefined ? await mkdtemp(join(tmpdir(), 'fedanchor-')) : resolve(keep);
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new RunFolderError('run-folder/not-writable', `cannot create the folder ${path}`, { path }, cause);
  }
  if ((await readdir(path)).length > 0) {
    throw new RunFolderError('run-folder/not-empty', `${path} is not empty: name a new folder with --keep`, { path });
  }
  const at = (...parts: readonly string[]): string => join(path, ...parts);
  for (const folder of ['chain', 'clients', 'logs']) await mkdir(at(folder));
  return {
    path,
    kept: keep !== undefined,
    at,
    describe: async (facts) => {
      const blobs = `coordinator/jobs/${facts.job.slice(2)}/blobs`;
      const description = { version: 1, ...facts, blobs, chainState: 'chain/state.json' };
      await writeFile(at('run.json'), `${JSON.stringify(description, null, 2)}\n`);
    },
    [Symbol.asyncDispose]: async () => {
      if (keep === undefined) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
