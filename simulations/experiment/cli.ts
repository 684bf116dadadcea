import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { writeReport } from '../report/write-report.ts';
import { describeImpossible, describeRuns } from './describe-runs.ts';
import { estimate } from './estimate.ts';
import { ExperimentError } from './experiment-error.ts';
import { writeNewExperiment } from './new-experiment.ts';
import { createThreadPool } from './pool/thread-pool.ts';
import { programIdentity } from './program-identity.ts';
import { createProgress, duration, type Progress } from './progress.ts';
import { createQueueRunner } from './redis/queue-runner.ts';
import { REDIS_VARIABLE, readRedisAddress, requireRedis } from './redis/redis-address.ts';
import { DEFAULT_QUEUE } from './redis/run-job.ts';
import { workRuns } from './redis/run-worker.ts';
import { readFolderFacts } from './results/experiment-folder.ts';
import { RESULTS_FILE } from './results/results-store.ts';
import type { Tally } from './run-experiment.ts';
import { type OpenRunner, type PreparedExperiment, prepareExperiment, simulate } from './simulate.ts';

interface SimulateFlags {
  readonly out?: string;
  readonly resume?: true;
  readonly only?: string;
  readonly skipImpossible?: true;
  readonly dryRun?: true;
  readonly workers: number;
  readonly threads: number;
  readonly redis?: string | true;
  readonly queue: string;
  readonly json?: true;
}

interface WorkerFlags {
  readonly redis?: string | true;
  readonly queue: string;
  readonly concurrency: number;
  readonly threads: number;
  readonly base: string;
  readonly lock: number;
}

/** Exit code of a program that was interrupted, by the custom of shells. */
const INTERRUPTED = 130;
/** Exit code when some runs failed, or a full disk ended the rest. */
const INCOMPLETE = 1;
/** Exit code when nothing was begun because it cannot be so. */
const IMPOSSIBLE = 2;

const AFTER_HELP = `
Exit codes: 0 every run has a result, diverged ones among them; 1 a run failed, or the disk is full; 2 nothing was begun,
it was asked for wrongly; 130 interrupted. docs/experiments.md describes the file and what is in DIR.`;

const REDIS_HELP = `a Redis server that workers on any machine take runs from, such as redis://host:6379; without a value, or with a password, by ${REDIS_VARIABLE}`;

const WORKER_HELP = `
A worker makes runs of its own version only, on its own copy of the data, which must have the content that the experiment was
begun with; else it ends with a code, and its run goes back. Exit codes: 2 it refused a run or could not begin; 130 interrupted.`;

/** Adds `fedanchor simulate …` to the command line. */
export function registerSimulateCommands(program: Command): void {
  const command = program
    .command('simulate')
    // What stands behind a subcommand is its own, though it may be called the same.
    .enablePositionalOptions()
    .description('make the runs of an experiment: a grid over rules, attacks, partitions, seeds; and a report of them')
    .argument('<experiment.toml>', 'the experiment; "fedanchor simulate new" writes one to begin with')
    .option('--out <dir>', 'folder of the results and the report: empty, or with --resume that of an earlier call')
    .option('--resume', 'go on where an earlier call ended; runs that failed are made again')
    .option(
      '--only <filter>',
      'some runs, such as rule=Median,attack=none or id=…; names: rule attack f n partition seed id',
    )
    .option('--skip-impossible', 'leave out combinations that cannot be, instead of refusing to begin')
    .option('--dry-run', 'list the runs and how long they may take, and make none of them')
    .option(
      '--workers <n>',
      'runs made at the same time (default: one a processor)',
      wholeNumber(1, 1024),
      availableParallelism(),
    )
    .option('--threads <n>', 'threads that one run computes with; results do not depend on it', wholeNumber(1, 256), 1)
    .option('--redis [url]', REDIS_HELP)
    .option('--queue <name>', 'queue that the runs are put into, with --redis', queueName, DEFAULT_QUEUE)
    .option('--json', 'print what was done as JSON, and no progress')
    .addHelpText('after', AFTER_HELP)
    .action(runSimulate);
  command
    .command('new')
    .description('write the commented file of a first experiment')
    .argument('[name]', 'its name, and that of the file without .toml', 'experiment')
    .action(async (name: string) => {
      const file = await writeNewExperiment(name);
      process.stdout.write(`${file} is written: fedanchor simulate ${file} --out results\n`);
    });
  command
    .command('worker')
    .description('make runs that "fedanchor simulate --redis" puts into a queue, until interrupted')
    .option('--redis [url]', REDIS_HELP)
    .option('--queue <name>', 'queue that runs are taken from', queueName, DEFAULT_QUEUE)
    .option(
      '--concurrency <n>',
      'runs made at the same time (default: one a processor)',
      wholeNumber(1, 1024),
      availableParallelism(),
    )
    .option('--threads <n>', 'threads that one run computes with', wholeNumber(1, 256), 1)
    .option('--base <dir>', "folder that the experiment's paths are relative to, with copies of its data", '.')
    .option(
      '--lock <seconds>',
      'after so long without a sign of a worker its runs are made by others',
      wholeNumber(1, 3600),
      30,
    )
    .addHelpText('after', WORKER_HELP)
    .action(workQueue);
  command
    .command('report')
    .description('make the report of a folder of results again')
    .argument('<dir>', 'the folder')
    .action(reportAgain);
}

async function runSimulate(file: string, flags: SimulateFlags): Promise<void> {
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

async function workQueue({ redis, queue, concurrency, threads, base, lock }: WorkerFlags): Promise<void> {
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

function queueName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('expected letters, digits, ".", "_" and "-"');
}

async function reportAgain(folder: string): Promise<void> {
  const facts = await readFolderFacts(folder);
  if (facts === undefined || !existsSync(join(folder, RESULTS_FILE))) {
    const remedy = facts === undefined ? 'name the --out of an experiment' : 'make its runs first, with --resume';
    throw new ExperimentError('experiment/not-there', `${folder} has no results: ${remedy}`, { folder });
  }
  await writeReport(folder, facts.experiment, facts.file);
  process.stdout.write(`the report is ${join(folder, 'report.html')}\n`);
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

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
