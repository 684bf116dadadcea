import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { MeasurableEngine } from '../../shared/aggregation/engine.ts';
import { createEngine } from '../../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { benchAggregation } from './aggregation.ts';
import { benchClient } from './client/client.ts';
import { benchClose } from './close.ts';
import { benchIngest } from './ingest.ts';
import { benchLearner } from './learner/learner.ts';
import { benchLoad } from './load.ts';
import { benchMemory } from './memory.ts';
import { benchPrivacy } from './privacy/privacy.ts';
import { type BenchReport, type Progress, publish, requireWritable, tellProgress } from './report.ts';
import { benchRewards } from './rewards/rewards.ts';
import { benchSimulation } from './simulation/simulation.ts';
import { benchWatch } from './watch.ts';
import { benchWire } from './wire/wire.ts';
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
    .action(({ json, ...flags }) =>
      run('close', { json }, async (entry, progress) => {
        const engine = createEngine();
        try {
          return await benchClose(entry, flags, engine, progress);
        } finally {
          await engine.close();
        }
      }),
    );
  bench
    .command('client')
    .description('what a client does on one core between what it has learnt and what it sends')
    .option('--d <list>', 'parameters of the model', list(64, 2 ** 28), [1_000_000])
    .addOption(
      new Option('--format <name>', 'one wire format (default: all)').choices(['int16', 'int8', 'int4', 'topk']),
    )
    .option('--repeats <n>', 'repeats, of which the median counts', wholeNumber(1, 100), 9)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('client', { json }, (_entry, progress) => benchClient(flags, progress)));
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
    .command('privacy')
    .description('what local differential privacy costs in accuracy, on real digits')
    .requiredOption('--data <file>', "scikit-learn's digits.csv.gz")
    .option('--clients <n>', 'clients', wholeNumber(1, 200), 50)
    .option('--rounds <n>', 'rounds', wholeNumber(1, 1000), 4)
    .option('--epsilons <list>', 'budgets of a client for all rounds', list(1, 1_000_000), [4, 16, 64, 256, 1024])
    .option('--delta <n>', 'delta of each budget', fraction, 1e-5)
    .option('--clip <n>', 'largest norm of an update', fraction, 2)
    .option('--seeds <n>', 'how often each budget is played', wholeNumber(1, 100), 3)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('privacy', { json }, (_entry, progress) => benchPrivacy(flags, progress)));
  bench
    .command('rewards')
    .description('what each kind of free-rider is paid under each rule, beside clients that really train')
    .option('--clients <n>', 'honest clients', wholeNumber(4, 64), 8)
    .option('--rounds <n>', 'rounds, of which the first does not count', wholeNumber(2, 100), 4)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('rewards', { json }, (_entry, progress) => benchRewards(flags, progress)));
  bench
    .command('aggregation')
    .description('every rule on updates in memory, with reading them once')
    .option('--n <n>', 'updates', wholeNumber(1, 256), 50)
    .option('--d <n>', 'coordinates of an update', wholeNumber(64, 2 ** 28), 1_000_000)
    .option('--f <n>', 'faulty updates', wholeNumber(0, 128), 10)
    .option('--threads <n>', 'threads that compute (default: one a processor)', wholeNumber(1, 256))
    .option('--repeats <n>', 'repeats, of which the median counts', wholeNumber(1, 100), 5)
    .option('--curve', 'how the cost grows with n and d, too', false)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, threads, ...flags }) =>
      run('aggregation', { json }, (_entry, progress) =>
        withEngine(threads, (engine) => benchAggregation(engine, flags, progress)),
      ),
    );
  bench
    .command('memory')
    .description('the largest resident memory while updates are aggregated from files')
    .option('--n <n>', 'updates', wholeNumber(1, 1000), 100)
    .option('--d <n>', 'coordinates of an update', wholeNumber(64, 2 ** 28), 10_000_000)
    .option('--threads <n>', 'threads that compute (default: one a processor)', wholeNumber(1, 256))
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, threads, ...flags }) =>
      run('memory', { json }, (_entry, progress) =>
        withEngine(threads, (engine) => benchMemory(engine, flags, progress)),
      ),
    );
  bench
    .command('watch')
    .description('what a watcher takes for a round beyond its downloads, against hashing and aggregation alone')
    .option('--link <n>', 'megabytes a second that downloads come at, 0 for at once', wholeNumber(0, 100_000), 125)
    .option('--n <n>', 'participants', wholeNumber(3, 256), 20)
    .option('--d <n>', 'parameters of the model', wholeNumber(64, 2 ** 28), 1_000_000)
    .option('--threads <n>', 'threads that compute (default: one a processor)', wholeNumber(1, 256))
    .option('--repeats <n>', 'rounds, of which the median counts', wholeNumber(1, 100), 5)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, threads, ...flags }) =>
      run('watch', { json }, (_entry, progress) =>
        withEngine(threads, (engine) => benchWatch(engine, flags, progress)),
      ),
    );
  bench
    .command('wire')
    .description('what each wire format costs in accuracy and saves in bytes, on real images')
    .requiredOption('--data <folder>', 'MNIST or Fashion-MNIST in the IDX format')
    .option('--clients <n>', 'clients', wholeNumber(1, 64), 8)
    .option('--rounds <n>', 'rounds', wholeNumber(1, 1000), 20)
    .option('--seeds <n>', 'how often each format is played', wholeNumber(1, 100), 3)
    .option('--rule <name>', 'the aggregation rule', 'Average')
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('wire', { json }, (_entry, progress) => benchWire(flags, progress)));
  bench
    .command('learner')
    .description("the simulations' own models: kernels, steps of the published experiments, clients computed together")
    .option('--threads <n>', 'threads that compute, beside one alone', wholeNumber(1, 256), availableParallelism())
    .option('--repeats <n>', 'repeats, of which the median counts', wholeNumber(1, 1000), 20)
    .option('--only <name>', 'only the steps whose names begin so, such as E3')
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) => run('learner', { json }, (_entry, progress) => benchLearner(flags, progress)));
  bench
    .command('simulation')
    .description('runs of reference experiment E3: seconds against the reference, and where they go')
    .requiredOption('--data <dir>', 'folder of Fashion-MNIST, as "fedanchor client data fetch" leaves it')
    .option('--threads <n>', 'threads that a run computes with', wholeNumber(1, 256), 2)
    .option('--rounds <n>', 'rounds of a run', wholeNumber(1, 100_000), 300)
    .option('--repeats <n>', 'runs, of which the median counts', wholeNumber(1, 100), 3)
    .option('--json <file>', 'write everything that was measured')
    .action(({ json, ...flags }) =>
      run('simulation', { json }, (_entry, progress) =>
        withEngine(flags.threads, (engine) => benchSimulation(flags, engine, progress)),
      ),
    );
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

async function withEngine(
  threads: number | undefined,
  bench: (engine: MeasurableEngine) => Promise<BenchReport>,
): Promise<BenchReport> {
  const engine = createEngine({ ...(threads !== undefined && { threads }) });
  try {
    return await bench(engine);
  } finally {
    await engine.close();
  }
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}

function fraction(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0');
}

function list(least: number, most: number): (text: string) => number[] {
  const number = wholeNumber(least, most);
  return (text) => text.split(',').map(number);
}
