import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Job, Worker } from 'bullmq';
import { FedanchorError } from '../../../shared/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import { openDataset } from '../../data/open-dataset.ts';
import { ExperimentError } from '../experiment-error.ts';
import { hashOwnFiles, ownPaths } from '../own-files.ts';
import { createThreadPool } from '../pool/thread-pool.ts';
import type { RunResult } from '../run-result.ts';
import type { Runner } from '../runner.ts';
import { type RedisAddress, requireRedis } from './redis-address.ts';
import { MOST_LOSSES, type RunJob, type RunJobProgress, readRunJob } from './run-job.ts';

/** What a worker is made of. */
export interface RunWorkerOptions {
  /** The server. */
  readonly address: RedisAddress;
  /** The queue's name. */
  readonly queueName: string;
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Threads that one run may compute with. */
  readonly threads: number;
  /** What paths in specifications are relative to. */
  readonly baseFolder: string;
  /** Folder for the state of clients. */
  readonly scratch: string;
  /** How long a run stays with a worker that is not heard of. */
  readonly lockMs: number;
  /** What this program is: `programIdentity`. */
  readonly program: string;
  /** Told a line of each run. */
  readonly say: (text: string) => void;
}

/** How often it is told how far a run is. */
const TELL_EVERY_MS = 1000;

/**
 * Works runs from a queue until it is ended, or until it must refuse one: whoever cannot make one run of an experiment can
 * make none of it. A refused run goes back into the queue for others, as do those under way when it is ended; those of a
 * worker that is killed do so when its lock has run out.
 *
 * @param signal - ends it
 * @throws ExperimentError `experiment/refused`, `experiment/other-program`, `experiment/cannot-write`, `experiment/redis`;
 * DatasetError, DataError for what is wrong with the data here
 */
export async function workRuns(options: RunWorkerOptions, signal: AbortSignal): Promise<void> {
  const { address, queueName, concurrency, lockMs, say } = options;
  await requireRedis(address);
  const pools = createPools(options);
  let [resolve, reject] = [(): void => {}, (_error: Error): void => {}];
  const ended = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  let running = true;
  const end = (error?: Error): void => {
    if (!running) return;
    running = false;
    // Closing first, so that no further run is fetched.
    const closed = worker.close().then(() => pools.close());
    void pools.close();
    closed.then(
      () => (error === undefined ? resolve() : reject(error)),
      (fault: Error) => reject(error ?? fault),
    );
  };
  const worker = new Worker<RunJob, RunResult, 'run'>(
    queueName,
    async (job) => {
      try {
        const result = await make(job, options, pools);
        say(`${job.data.id} ${result.outcome}`);
        return result;
      } catch (error) {
        if (!running) throw error;
        const code = error instanceof FedanchorError ? error.code : 'experiment/unexpected';
        const refused = { code, message: (error as Error).message, by: `${hostname()} (${process.pid})` };
        await job.updateProgress({ refused } satisfies RunJobProgress).catch(() => undefined);
        end(error as Error);
        throw error;
      }
    },
    {
      connection: address.options,
      ...{ concurrency, lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: MOST_LOSSES },
    },
  );
  worker.on('error', (error) => say(`Redis: ${error.message}`));
  if (signal.aborted) end();
  signal.addEventListener('abort', () => end(), { once: true });
  await ended;
}

async function make(
  job: Job<RunJob, RunResult, 'run'>,
  { program, baseFolder }: RunWorkerOptions,
  pools: Pools,
): Promise<RunResult> {
  const run = readRunJob(job.data);
  if (run.program !== program) {
    const sentence = `run ${run.id} is for fedanchor ${run.program}, and this is ${program}: install that version here, or work another --queue`;
    throw new ExperimentError('experiment/other-program', sentence, { id: run.id });
  }
  const hashes = await hashOwnFiles(ownPaths(run.spec), baseFolder);
  for (const [path, hash] of Object.entries(hashes)) {
    if (run.ownFiles[path] === hash) continue;
    const sentence = `${path} in ${baseFolder} is not the file that the experiment was begun with: copy that one here`;
    throw new ExperimentError('experiment/refused', sentence, { id: run.id, path });
  }
  const dataset = await openDataset(run.spec.data, baseFolder);
  if (dataset.contentHash !== run.dataHash) {
    const sentence = `the data ${run.spec.data.name} here are ${dataset.contentHash}, and the experiment's ${run.dataHash}: copy those here`;
    throw new ExperimentError('experiment/refused', sentence, { id: run.id });
  }
  let told = 0;
  const onRound = (round: number): void => {
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    job.updateProgress({ round } satisfies RunJobProgress).catch(() => undefined);
  };
  return pools.use(dataset, (runner) => runner.run({ id: run.id, spec: run.spec, cell: NO_CELL }, { onRound }));
}

/** Who makes a run need not know where it stands in a grid. */
const NO_CELL = { rule: '', attack: '', f: 0, n: 0, partition: '', seed: 0 };

interface Pools {
  use<Result>(dataset: Dataset, work: (runner: Runner) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** A pool of threads for the data of the experiments under way; what is idle makes room for what is asked for. */
function createPools({ concurrency, threads, baseFolder, scratch }: RunWorkerOptions): Pools {
  const pools = new Map<string, { readonly runner: Runner; users: number }>();
  return {
    use: async (dataset, work) => {
      const hash = dataset.contentHash;
      for (const [other, { runner, users }] of pools) {
        if (other === hash || users > 0) continue;
        pools.delete(other);
        await runner.close();
      }
      const pool = pools.get(hash) ?? {
        runner: createThreadPool({ workers: concurrency, threads, dataset, baseFolder, scratch: join(scratch, hash) }),
        users: 0,
      };
      pools.set(hash, pool);
      pool.users += 1;
      try {
        return await work(pool.runner);
      } finally {
        pool.users -= 1;
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map(({ runner }) => runner.close()));
    },
  };
}
