import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Dataset } from '../../data/dataset.ts';
import type { ExperimentRun } from '../experiment.ts';
import { ExperimentError } from '../experiment-error.ts';
import { failedResult } from '../failed-result.ts';
import type { RunResult } from '../run-result.ts';
import type { Runner, RunProgress } from '../runner.ts';
import type { RunMessage, RunRequest, RunThreadStart } from './run-messages.ts';

/** How often a run is begun, when the threads that make it end. */
const ATTEMPTS = 2;

/** What a pool is made of. */
export interface ThreadPoolOptions {
  /** Runs at the same time, each in a thread of its own. */
  readonly workers: number;
  /** Threads that one run may compute with. */
  readonly threads: number;
  /** The data of all runs. */
  readonly dataset: Dataset;
  /** What paths in specifications are relative to. */
  readonly baseFolder: string;
  /** Folder for the state of clients; each run has one of its own in it, and it is removed with the run. */
  readonly scratch: string;
}

type Outcome =
  | Extract<RunMessage, { readonly kind: 'result' | 'failed' }>
  | { readonly kind: 'lost'; readonly why: string };

/**
 * Makes runs in threads, which start when they are needed and are kept: each opens the model once. A thread that ends
 * while it has a run is replaced, and the run begun once more.
 */
export function createThreadPool({ workers, scratch, ...start }: ThreadPoolOptions): Runner {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const queue: (() => void)[] = [];
  let busy = 0;
  let begun = 0;
  let closed = false;

  const acquire = async (): Promise<void> => {
    if (busy >= workers) await new Promise<void>((resolve) => queue.push(resolve));
    else busy += 1;
  };
  const release = (): void => {
    const next = queue.shift();
    if (next === undefined) busy -= 1;
    else next();
  };

  const thread = (): Worker => {
    const found = idle.pop();
    if (found !== undefined) return found;
    const worker = startThread(start);
    all.add(worker);
    worker.once('exit', () => {
      all.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
    });
    return worker;
  };

  const attempt = async (run: ExperimentRun, progress: RunProgress): Promise<Outcome> => {
    if (closed) throw interrupted();
    begun += 1;
    const folder = join(scratch, `${run.id}-${begun}`);
    await mkdir(folder, { recursive: true });
    const worker = thread();
    try {
      const outcome = await ask(worker, { spec: run.spec, folder }, progress);
      if (outcome.kind !== 'lost') idle.push(worker);
      return outcome;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  return {
    capacity: workers,
    run: async (run, progress = {}) => {
      await acquire();
      try {
        let outcome = await attempt(run, progress);
        for (let made = 1; made < ATTEMPTS && outcome.kind === 'lost'; made += 1)
          outcome = await attempt(run, progress);
        if (closed && outcome.kind === 'lost') throw interrupted();
        return resultOf(run, outcome, start.dataset);
      } finally {
        release();
      }
    },
    close: async () => {
      closed = true;
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

function startThread(start: RunThreadStart): Worker {
  const name = import.meta.url.endsWith('.ts') ? './run-thread.ts' : './run-thread.js';
  // What the environment holds of this program, such as a server's password, is nothing to an own attack or rule.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([variable]) => !variable.startsWith('FEDANCHOR_')),
  );
  return new Worker(new URL(name, import.meta.url), { workerData: start, env });
}

function ask(worker: Worker, request: RunRequest, progress: RunProgress): Promise<Outcome> {
  return new Promise((resolve) => {
    let why = 'its thread ended';
    const settle = (outcome: Outcome): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      resolve(outcome);
    };
    const onMessage = (message: RunMessage): void => {
      if (message.kind === 'round') progress.onRound?.(message.round);
      else settle(message);
    };
    const onError = (error: Error): void => {
      why = `its thread ended by "${error.message}"`;
    };
    const onExit = (): void => settle({ kind: 'lost', why });
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(request);
  });
}

function interrupted(): ExperimentError {
  return new ExperimentError('experiment/interrupted', 'the run was ended before it had a result: go on with --resume');
}

function resultOf(run: ExperimentRun, outcome: Outcome, { contentHash }: Dataset): RunResult {
  switch (outcome.kind) {
    case 'result':
      return outcome.result;
    case 'failed': {
      if (!outcome.disk) return failedResult(run.spec, contentHash, outcome);
      const sentence = `the state of clients cannot be written: ${outcome.message}: make room, then go on with --resume`;
      throw new ExperimentError('experiment/cannot-write', sentence, { id: run.id });
    }
    case 'lost':
      return failedResult(run.spec, contentHash, {
        code: 'experiment/worker-lost',
        message: `the run was begun ${ATTEMPTS} times, and each time ${outcome.why}`,
      });
  }
}
