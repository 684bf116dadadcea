import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rpc } from '../../contracts/rpc.ts';
import type { FedanchorError } from '../../shared/errors.ts';
import type { JobRegister } from '../job-register.ts';

/** One thing that a coordinator needs to do its work. */
export interface ReadinessCheck {
  /** What it is about. */
  readonly name: 'chain' | 'storage' | 'jobs' | 'court';
  /** Whether it is as it must be. */
  readonly ok: boolean;
  /** What was found. */
  readonly message: string;
}

/** Whether a coordinator can do its work now. */
export interface Readiness {
  /** Whether all of it is well. */
  readonly ready: boolean;
  /** Each thing that was looked at. */
  readonly checks: readonly ReadinessCheck[];
}

/** What is looked at. */
export interface ReadinessOptions {
  /** The coordinator's folder. */
  readonly folder: string;
  /** The chain. */
  readonly rpc: Rpc;
  /** Jobs that are open. */
  readonly jobs: JobRegister;
  /** Jobs that could not be opened. */
  readonly unavailable: ReadonlyMap<string, FedanchorError>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How long an answer stands: being asked often must not wear out disk or node. */
const KEPT_MS = 2000;

/** Longest wait for the chain before it counts as away. */
const CHAIN_LIMIT_MS = 5000;

/** Looks whether the chain answers, the folder can be written and every job is open. */
export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  let latest: { readonly at: number; readonly answer: Promise<Readiness> } | undefined;
  return () => {
    const at = options.now();
    if (latest === undefined || at - latest.at >= KEPT_MS) latest = { at, answer: look(options) };
    return latest.answer;
  };
}

async function look({ folder, rpc, jobs, unavailable }: ReadinessOptions): Promise<Readiness> {
  const chain = async (): Promise<string> => {
    const block = Number(await within(CHAIN_LIMIT_MS, rpc.call('eth_blockNumber', [])));
    return `${rpc.url} is at block ${block}`;
  };
  const checks = await Promise.all([
    check('chain', chain),
    check('storage', async () => {
      await probeFolder(folder);
      for (const { storage } of jobs.all)
        if (storage?.status.state === 'unavailable') throw new Error(storage.status.reason);
      return `${folder} can be written`;
    }),
    check('jobs', async () => {
      const [problem] = unavailable.values();
      if (problem) throw problem;
      return `${jobs.all.length} open`;
    }),
    ...(jobs.all.some(({ disputes }) => disputes) ? [check('court', async () => describeCourt(jobs))] : []),
  ]);
  return { ready: checks.every(({ ok }) => ok), checks };
}

/**
 * How the jobs with a court stand: their bonds, and the disputes over their rounds.
 *
 * @throws an error that says what is amiss
 */
function describeCourt({ all }: JobRegister): string {
  let open = 0;
  for (const { disputes, runner } of all) {
    const { unbonded } = runner.state.progress;
    if (unbonded) {
      throw new Error(
        `the bond is ${unbonded.held} where ${unbonded.needed} are needed, no round opens: "fedanchor stake bond add"`,
      );
    }
    for (const { id, round, trouble } of disputes?.open ?? []) {
      if (trouble !== undefined) throw new Error(`dispute ${id} over round ${round} cannot be answered: ${trouble}`);
      open++;
    }
  }
  return open === 0 ? 'the bond suffices, no round is disputed' : `${open} disputes, all of them being answered`;
}

/**
 * Writes a file through to the disk and removes it.
 *
 * @throws the file system's error
 */
export async function probeFolder(folder: string): Promise<void> {
  const file = join(folder, `.probe-${randomUUID()}`);
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      // A full disk takes an empty file.
      await handle.write(Buffer.alloc(4096));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(file, { force: true });
  }
}

async function check(name: ReadinessCheck['name'], work: () => Promise<string>): Promise<ReadinessCheck> {
  try {
    return { name, ok: true, message: await work() };
  } catch (error) {
    return { name, ok: false, message: (error as Error).message };
  }
}

function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
