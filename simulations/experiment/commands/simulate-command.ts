import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeImpossible, describeRuns } from '../describe-runs.ts';
import { estimate } from '../estimate.ts';
import { ExperimentError } from '../experiment-error.ts';
import { createThreadPool } from '../pool/thread-pool.ts';
import { programIdentity } from '../program-identity.ts';
import { createProgress, duration, type Progress } from '../progress.ts';
import { createQueueRunner } from '../redis/queue-runner.ts';
import { readRedisAddress, requireRedis } from '../redis/redis-address.ts';
import type { Tally } from '../run-experiment.ts';
import { type OpenRunner, type PreparedExperiment, prepareExperiment, simulate } from '../simulate.ts';
import { IMPOSSIBLE, INCOMPLETE, INTERRUPTED } from './exit-codes.ts';

/** Flags of `fedanchor simulate`. */
export interface SimulateFlags {
  /** Folder of the results. */
  readonly out?: string;
  /** Whether an earlier call is gone on with. */
  readonly resume?: true;
  /** Which runs are wanted. */
  readonly only?: string;
  /** Whether what cannot be is left out. */
  readonly skipImpossible?: true;
  /** Whether runs are listed alone. */
  readonly dryRun?: true;
  /** Runs at the same time. */
  readonly workers: number;
  /** Threads of a run. */
  readonly threads: number;
  /** Server; true: by the environment. */
  readonly redis?: string | true;
  /** The queue's name. */
  readonly queue: string;
  /** Whether JSON is printed. */
  readonly json?: true;
}
/**
 * `fedanchor simulate`: makes the runs of an experiment, or lists them.
 *
 * @throws FedanchorError if it cannot begin
 */
export async function runSimulate(file: string, flags: SimulateFlags): Promise<void> {
  const prepared = await prepareExperiment(file, flags.only);
  const { impossible } = prepared;
  if (impossible.length > 0) {
    const fate = flags.skipImpossible ? 'are left out' : 'cannot be';
    process.stderr.write(
      `${impossible.length} of ${impossible.length + prepared.chosen.length} runs ${fate}:\n${describeImpossible(impossible)}\n`,
    );
    if (!flags.skipImpossible) {
      process.stderr.write('nothing was begun: change the experiment, or leave them out with --skip-impossible\n');
      process.exitCode = IMPOSSIBLE;
      return;
    }
  }
  if (flags.dryRun) await dryRun(prepared, flags);
  else await makeRuns(file, prepared, flags);
}

async function dryRun(
  { chosen, impossible, dataset, baseFolder }: PreparedExperiment,
  flags: SimulateFlags,
): Promise<void> {
  const { threads, workers, json } = flags;
  const scratch = await mkdtemp(join(tmpdir(), 'fedanchor-simulate-'));
  const runner = createThreadPool({ workers: 1, threads, dataset, baseFolder, scratch });
  try {
    const expected = chosen.length === 0 ? null : await estimate(chosen, runner, workers, () => performance.now());
    if (json) {
      print({
        runs: chosen.map(({ id, cell }) => ({ id, cell })),
        ...listed(impossible),
        expectedMs: expected?.ms ?? null,
      });
      return;
    }
    process.stdout.write(`${describeRuns(chosen)}\n\n${chosen.length} runs, none of them made\n`);
    if (expected === null) return;
    const { ms, rounds, rules } = expected;
    process.stdout.write(
      `about ${duration(ms)} with ${workers} workers, by ${rounds} rounds that were tried of one run of each of ${rules} rules\n`,
    );
  } finally {
    await runner.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function makeRuns(file: string, prepared: PreparedExperiment, flags: SimulateFlags): Promise<void> {
  const { out, resume = false, json = false, workers, threads, redis } = flags;
  if (out === undefined) {
    throw new ExperimentError('experiment/not-there', '--out is missing: name the folder that the results go to');
  }
  const lifetime = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lifetime.abort());
  const { dataset, baseFolder } = prepared;
  const address = redis === undefined ? undefined : readRedisAddress(redis, process.env);
  if (address !== undefined) await requireRedis(address);
  const open: OpenRunner = async (remaining, scratch) => {
    const progress = json ? SILENT : createProgress(remaining, process.stdout, () => performance.now());
    if (address === undefined) {
      return { runner: createThreadPool({ workers, threads, dataset, baseFolder, scratch }), progress };
    }
    const queue = {
      ...{
        address,
        queueName: flags.queue,
        experiment: prepared.experiment,
      },
      ...{ program: programIdentity(), dataHash: dataset.contentHash, say: progress.say },
    };
    return { runner: await createQueueRunner(queue), progress };
  };
  try {
    const tally = await simulate(file, prepared, { folder: out, resume }, open, lifetime.signal);
    if (json) print({ folder: out, ...tally, ...listed(prepared.impossible) });
    else process.stdout.write(`${describeTally(tally)}\nthe report is ${join(out, 'report.html')}\n`);
    if (tally.failed > 0) process.exitCode = INCOMPLETE;
  } catch (error) {
    const isFull = error instanceof ExperimentError && error.code === 'experiment/cannot-write';
    if (!isFull && !lifetime.signal.aborted) throw error;
    const what = lifetime.signal.aborted ? 'interrupted; what has a result keeps it' : (error as Error).message;
    const code = isFull && !lifetime.signal.aborted ? ' [experiment/cannot-write]' : '';
    process.stderr.write(`fedanchor: ${what}${code}\ngo on with: ${again(file, out, flags)}\n`);
    process.exitCode = lifetime.signal.aborted ? INTERRUPTED : INCOMPLETE;
  }
}
const SILENT: Progress = { round: () => {}, done: () => {}, say: () => {}, stop: () => {} };

function again(file: string, out: string, { only, skipImpossible }: SimulateFlags): string {
  const quoted = (text: string): string => (/^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const more = [
    ...(only === undefined ? [] : ['--only', quoted(only)]),
    ...(skipImpossible ? ['--skip-impossible'] : []),
  ];
  return ['fedanchor simulate', quoted(file), '--out', quoted(out), ...more, '--resume'].join(' ');
}

function describeTally({ done, diverged, failed, missing }: Tally): string {
  const parts = [`${done} runs have results`];
  if (diverged > 0) parts.push(`${diverged} of them diverged`);
  if (failed > 0) parts.push(`${failed} of them failed: --resume makes them again`);
  if (missing > 0) parts.push(`${missing} of the experiment were not asked for`);
  return parts.join('; ');
}

function listed(impossible: PreparedExperiment['impossible']): Record<string, unknown> {
  return { impossible: impossible.map(({ run: { id, cell }, reasons }) => ({ id, cell, reasons })) };
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
