import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { programIdentity } from '../program-identity.ts';
import { readRedisAddress } from '../redis/redis-address.ts';
import { workRuns } from '../redis/run-worker.ts';
import { INTERRUPTED } from './exit-codes.ts';

/** Flags of `fedanchor simulate worker`. */
export interface WorkerFlags {
  /** Server; true: by the environment. */
  readonly redis?: string | true;
  /** The queue's name. */
  readonly queue: string;
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Threads of a run. */
  readonly threads: number;
  /** What paths are relative to. */
  readonly base: string;
  /** Seconds after which the runs of a worker that is silent are made by others. */
  readonly lock: number;
}
/**
 * `fedanchor simulate worker`: makes runs from a queue until it is interrupted.
 *
 * @throws FedanchorError if it cannot begin, or must refuse a run
 */
export async function workQueue({ redis, queue, concurrency, threads, base, lock }: WorkerFlags): Promise<void> {
  const address = readRedisAddress(redis ?? true, process.env);
  const lifetime = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lifetime.abort());
  const scratch = await mkdtemp(join(tmpdir(), 'fedanchor-worker-'));
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`working ${queue} at ${address.shown}, as ${programIdentity()}`);
  try {
    const options = { address, queueName: queue, concurrency, threads, baseFolder: resolve(base), scratch };
    await workRuns({ ...options, lockMs: lock * 1000, program: programIdentity(), say }, lifetime.signal);
    process.exitCode = INTERRUPTED;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
