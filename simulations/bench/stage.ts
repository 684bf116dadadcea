import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { type BenchJob, type BenchJobOptions, createBenchJob } from './bench-job.ts';
import type { CoordinatorStart } from './workers/coordinator-worker.ts';
import { startWorker, type WorkerProcess } from './workers/worker-process.ts';

/** Everything a benchmark of the coordinator stands on: a chain, a job, a coordinator process. */
export interface Stage {
  /** The job. */
  readonly job: BenchJob;
  /** The coordinator's process. */
  readonly worker: WorkerProcess;
  /** Where it listens. */
  readonly url: string;
}

/**
 * Sets the stage, has something done on it, and clears it away again, whatever came of it.
 *
 * @param entry - the command line's own module
 * @param options - the job
 * @param folder - an empty folder for it
 * @param perform - what to do
 */
export async function onStage<Result>(
  entry: string,
  options: BenchJobOptions,
  folder: string,
  perform: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const chain = await startEmbeddedChain({ stateFile: join(folder, 'chain', 'state.json') });
  await using _chain = { [Symbol.asyncDispose]: () => chain.stop() };
  const job = await createBenchJob(join(folder, 'coordinator'), chain, options);
  await using worker = startWorker(entry, 'coordinator');
  const start: CoordinatorStart = { folder: job.folder, rpcUrl: chain.rpcUrl, key: job.coordinatorKey };
  const url = await worker.call<string>('start', start);
  return await perform({ job, worker, url });
}

/** Has something done in a temporary folder that goes afterwards, also when the program ends early. */
export async function inFolder<Result>(perform: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  try {
    return await perform(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
