import { copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type EmbeddedChain, startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { AuditError } from './audit-error.ts';

const hexOf = (bytes: number) =>
  z.custom<Hex>(
    (value) => typeof value === 'string' && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(value),
    `expected 0x and ${2 * bytes} lower-case hexadecimal digits`,
  );

const runSchema = z.object({
  chainId: z.number().int().positive(),
  contracts: z.object({ token: hexOf(20), anchor: hexOf(20), vault: hexOf(20) }),
  job: hexOf(32),
  blobs: z.string().min(1),
  chainState: z.string().min(1),
});

/** What a kept run says about itself in its `run.json`; paths are relative to the run's folder. */
export type KeptRun = z.infer<typeof runSchema>;

/** A kept run whose chain is up again. */
export interface RevivedRun {
  /** What the run says about itself. */
  readonly run: KeptRun;
  /** Address of the chain for JSON-RPC. */
  readonly rpcUrl: string;
  /** Folder of the run's blobs. */
  readonly blobsFolder: string;
  /** Ends the chain and removes its copy of the state. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Reads a kept run's `run.json`.
 *
 * @throws AuditError `audit/run-unreadable`, naming the field at fault
 */
async function readKeptRun(folder: string): Promise<KeptRun> {
  const file = join(folder, 'run.json');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'there is none' : (cause as Error).message;
    throw unreadable(`${file} cannot be read (${why}): name the folder that a run was kept in`, file, cause);
  }
  const parsed = runSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(`${file}, field "${issue?.path.join('.')}": ${issue?.message}`, file);
}

/**
 * Brings a kept run's chain up again, on a free port and from a copy of its state, so that the run stays as it is.
 *
 * @param folder - the run's folder
 * @throws AuditError `audit/run-unreadable`; EmbeddedChainError
 */
export async function reviveRun(folder: string): Promise<RevivedRun> {
  const run = await readKeptRun(folder);
  const blobsFolder = resolve(folder, run.blobs);
  await requireFolder(blobsFolder);
  const original = resolve(folder, run.chainState);
  const scratch = await mkdtemp(join(tmpdir(), 'fedanchor-verify-'));
  let chain: EmbeddedChain | undefined;
  const dispose = async (): Promise<void> => {
    await chain?.stop();
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const stateFile = join(scratch, 'state.json');
    await copyState(original, stateFile);
    chain = await start(original, stateFile, run.chainId);
    return { run, rpcUrl: chain.rpcUrl, blobsFolder, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function copyState(original: string, copy: string): Promise<void> {
  try {
    await copyFile(original, copy);
  } catch (cause) {
    throw unreadable(`the chain's state ${original} cannot be read: the run is not complete`, original, cause);
  }
}

async function start(original: string, stateFile: string, chainId: number): Promise<EmbeddedChain> {
  try {
    return await startEmbeddedChain({ stateFile, chainId });
  } catch (cause) {
    if (!(cause instanceof FedanchorError) || cause.code !== 'chain/not-started') throw cause;
    throw unreadable(
      `the chain does not start from ${original}: the file is damaged or of another version`,
      original,
      cause,
    );
  }
}

/**
 * Checks that a folder is there.
 *
 * @throws AuditError `audit/run-unreadable`
 */
export async function requireFolder(folder: string): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw unreadable(`there is no folder ${folder} to read blobs from: check the path`, folder);
}

function unreadable(sentence: string, path: string, cause?: unknown): AuditError {
  return new AuditError('audit/run-unreadable', sentence, { path }, cause);
}
