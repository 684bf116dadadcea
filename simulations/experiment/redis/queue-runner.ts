import { type Job, Queue, QueueEvents } from 'bullmq';
import type { Experiment, ExperimentRun } from '../experiment.ts';
import { ExperimentError } from '../experiment-error.ts';
import { failedResult } from '../failed-result.ts';
import type { RunResult } from '../run-result.ts';
import type { Runner, RunProgress } from '../runner.ts';
import type { RedisAddress } from './redis-address.ts';
import { MOST_ATTEMPTS, type RunJob, type RunJobProgress, runJob } from './run-job.ts';

/** What a queue of runs is made of. */
export interface QueueRunnerOptions {
  /** The server. */
  readonly address: RedisAddress;
  /** The queue's name. */
  readonly queueName: string;
  /** What the runs are of. */
  readonly experiment: Experiment;
  /** What a worker has to be. */
  readonly program: string;
  /** SHA-256 of the data. */
  readonly dataHash: string;
  /** Told what a person should know: that a worker refused a run, that there is none. */
  readonly say: (text: string) => void;
}

type RunQueue = Queue<RunJob, RunResult, 'run'>;

/** Runs that wait in the queue at a time. */
const CAPACITY = 10_000;
/** A result is kept for so long for whoever put the run in; then whoever asks has it made again. */
const KEEP_SECONDS = 7 * 86_400;
/** How often the queue is looked at for what an event did not tell. */
const SWEEP_MS = 5000;
/** Runs that are looked at each time. */
const SWEEP_RUNS = 100;

interface Waiting {
  readonly run: ExperimentRun;
  readonly progress: RunProgress;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Has runs made by workers on any machine, through a BullMQ queue on a Redis server. Runs stay in the queue when this process
 * ends, and go on being made; a later call finds their results there.
 */
export async function createQueueRunner(options: QueueRunnerOptions): Promise<Runner> {
  const { address, queueName, experiment, program, dataHash, say } = options;
  const queue: RunQueue = new Queue(queueName, { connection: address.options });
  const events = new QueueEvents(queueName, { connection: address.options });
  const waiting = new Map<string, Waiting>();
  const said = new Set<string>();
  const sayOnce = (text: string): void => {
    if (!said.has(text)) say(text);
    said.add(text);
  };
  // The client connects again by itself; an error without a listener would end the process.
  const onError = (error: Error): void => sayOnce(`Redis: ${error.message}`);
  queue.on('error', onError);
  events.on('error', onError);

  const settle = (jobId: string, result: RunResult): void => {
    waiting.get(jobId)?.resolve(result);
    waiting.delete(jobId);
  };
  const fail = (jobId: string, reason: string): void => {
    const known = waiting.get(jobId);
    if (known === undefined) return;
    waiting.delete(jobId);
    if (/stalled/.test(reason)) {
      const message = 'every worker that made the run was lost on the way';
      known.resolve(failedResult(known.run.spec, dataHash, { code: 'experiment/worker-lost', message }));
      return;
    }
    const sentence = `run ${known.run.id} was given back ${MOST_ATTEMPTS} times, the last time: ${reason}`;
    known.reject(new ExperimentError('experiment/refused', sentence, { id: known.run.id }));
  };
  const look = async (jobId: string, job: Job<RunJob, RunResult> | undefined): Promise<void> => {
    const state = await job?.getState();
    if (state === 'completed') settle(jobId, job?.returnvalue as RunResult);
    if (state === 'failed') fail(jobId, job?.failedReason ?? '');
  };

  events.on('completed', ({ jobId, returnvalue }) => settle(jobId, returnvalue as unknown as RunResult));
  events.on('failed', ({ jobId, failedReason }) => fail(jobId, failedReason));
  events.on('progress', ({ jobId, data }) => {
    const told = data as RunJobProgress;
    const known = waiting.get(jobId);
    if (known === undefined) return;
    if ('round' in told) known.progress.onRound?.(told.round);
    else sayOnce(`the worker ${told.refused.by} refused: ${told.refused.message} [${told.refused.code}]`);
  });
  await events.waitUntilReady();
  let swept = 0;
  const sweep = async (): Promise<void> => {
    if (waiting.size > 0 && (await queue.getWorkersCount()) === 0) {
      sayOnce(`no worker is connected to ${address.shown}: start some with "fedanchor simulate worker --redis"`);
    }
    const ids = [...waiting.keys()];
    for (const jobId of ids.slice(swept, swept + SWEEP_RUNS)) await look(jobId, await queue.getJob(jobId));
    swept = swept + SWEEP_RUNS < ids.length ? swept + SWEEP_RUNS : 0;
  };
  const timer = setInterval(() => void sweep().catch(() => undefined), SWEEP_MS);

  return {
    capacity: CAPACITY,
    run: (run, progress = {}) =>
      new Promise((resolve, reject) => {
        const jobId = `${experiment.hash.slice(0, 16)}-${dataHash.replace(/^0x/, '').slice(0, 8)}-${program}-${run.id}`;
        waiting.set(jobId, { run, progress, resolve, reject });
        const put = async (): Promise<void> => {
          const before = (await queue.getJob(jobId)) as Job<RunJob, RunResult> | undefined;
          const state = await before?.getState();
          // What failed before is made again.
          if (state === 'failed' || (state === 'completed' && before?.returnvalue.outcome === 'failed')) {
            await before?.remove();
          }
          const age = { age: KEEP_SECONDS };
          const job = await queue.add('run', runJob(run, experiment, program, dataHash), {
            ...{ jobId, attempts: MOST_ATTEMPTS, removeOnComplete: age, removeOnFail: age },
          });
          await look(jobId, job);
        };
        put().catch((error: Error) => {
          waiting.delete(jobId);
          reject(new ExperimentError('experiment/redis', `Redis at ${address.shown}: ${error.message}`));
        });
      }),
    close: async () => {
      clearInterval(timer);
      for (const { reject } of waiting.values()) {
        reject(new ExperimentError('experiment/interrupted', 'the run has no result yet: go on with --resume'));
      }
      waiting.clear();
      await events.close();
      await queue.close();
    },
  };
}
