import { fileURLToPath } from 'node:url';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { benchClose } from './close.ts';
import { benchIngest } from './ingest.ts';
import { benchLoad } from './load.ts';
import { type BenchReport, type Progress, publish, requireWritable, tellProgress } from './report.ts';
import { runBareWorker } from './workers/bare-worker.ts';
import { runCoordinatorWorker } from './workers/coordinator-worker.ts';
import { runCrowdWorker } from './workers/crowd-worker.ts';
import type { WorkerRole } from './workers/worker-process.ts';

interface CommonFlags {
  readonly json?: string;
}

/** Exit code of a program that was interrupted, by the custom of shells. */
const INTERRUPTED = 130;

const WORKERS: Readonly<Record<WorkerRole, () => Promise<void>>> = {
  coordinator: runCoordinatorWorker,
  bare: runBareWorker,
  crowd: runCrowdWorker,
};

/** Adds `fedanchor bench …` to the command line. */
export function registerBenchCommands(program: Command): void {
  const bench = program.command('bench').description('measure the coordinator on this machine, as ratios that travel');
  bench
    .command('ingest')
    .description('verified uploads against a bare HTTP server that writes what it is PUT to files')
    .option('--clients <list>', 'clients that upload at the same time', list(1, 1000), [1, 8, 64])
    .option('--bytes <n>', 'bytes of one update', wholeNumber(128, 2 ** 30), 4 * 2 ** 20)
    .option('--total <n>', 'bytes of one repeat, at least one update a client', wholeNumber(128, 2 ** 36), 2 ** 28)
    .option('--repeats <n>', 'repeats, of which the median counts', wholeNumber(1, 100), 5)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, total, ...flags }) =>
      run('ingest', { json }, (entry, progress) => benchIngest(entry, { ...flags, totalBytes: total }, progress)),
    );
  bench
    .command('close')
    .description('from the last accepted byte to the next model, against the round function alone')
    .option('--n <list>', 'participants', list(3, 1000), [6, 20])
    .option('--d <list>', 'parameters of the model', list(64, 2 ** 28), [100_000, 1_000_000])
    .option('--repeats <n>', 'rounds, of which the median counts', wholeNumber(1, 100), 5)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('close', { json }, (entry, progress) => benchClose(entry, flags, progress)));
  bench
    .command('load')
    .description('many connected clients: how they connect, a whole round, what it costs the coordinator')
    .option('--clients <n>', 'connected clients', wholeNumber(1, 100_000), 2000)
    .option('--sample <n>', 'clients that are asked in the round (default: all)', wholeNumber(1, 100_000))
    .option('--parameters <n>', 'parameters of the model', wholeNumber(64, 2 ** 24), 64)
    .option('--processes <n>', 'processes that hold the clients', wholeNumber(1, 64), 4)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('load', { json }, (entry, progress) => benchLoad(entry, flags, progress)));
  bench
    .command('worker', { hidden: true })
    .description('one process of a benchmark, which asks for things over IPC')
    .addArgument(new Argument('<role>').choices(Object.keys(WORKERS)))
    .action(async (role: WorkerRole) => {
      usePlatformHashing();
      await WORKERS[role]();
    });
}

async function run(
  name: string,
  { json }: CommonFlags,
  bench: (entry: string, progress: Progress) => Promise<BenchReport>,
): Promise<void> {
  usePlatformHashing();
  // The processes of a benchmark end with this one, and its folder is removed as it exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(INTERRUPTED));
  if (json !== undefined) await requireWritable(json);
  const entry = fileURLToPath(new URL('../../fedanchor.js', import.meta.url));
  await publish(name, await bench(entry, tellProgress), json);
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}

function list(least: number, most: number): (text: string) => number[] {
  const number = wholeNumber(least, most);
  return (text) => text.split(',').map(number);
}
