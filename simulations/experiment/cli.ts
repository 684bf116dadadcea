import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { SimulateFlags } from './commands/simulate-command.ts';
import type { WorkerFlags } from './commands/worker-command.ts';
import { writeNewExperiment } from './new-experiment.ts';
import { DEFAULT_QUEUE, REDIS_VARIABLE } from './redis/names.ts';

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
      'runs made at the same time, one a processor unless given',
      wholeNumber(1, 1024),
      availableParallelism(),
    )
    .option('--threads <n>', 'threads that one run computes with; results do not depend on it', wholeNumber(1, 256), 1)
    .option('--redis [url]', REDIS_HELP)
    .option('--queue <name>', 'queue that the runs are put into, with --redis', queueName, DEFAULT_QUEUE)
    .option('--json', 'print what was done as JSON, and no progress')
    .addHelpText('after', AFTER_HELP)
    .action(async (file: string, flags: SimulateFlags) => {
      // Plots, queues and engines are loaded by who needs them: every other command would wait for them.
      const { runSimulate } = await import('./commands/simulate-command.ts');
      await runSimulate(file, flags);
    });
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
      'runs made at the same time, one a processor unless given',
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
    .action(async (flags: WorkerFlags) => {
      const { workQueue } = await import('./commands/worker-command.ts');
      await workQueue(flags);
    });
  command
    .command('report')
    .description('make the report of a folder of results again')
    .argument('<dir>', 'the folder')
    .action(async (folder: string) => {
      const { reportAgain } = await import('./commands/report-command.ts');
      await reportAgain(folder);
    });
}
function queueName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('expected letters, digits, ".", "_" and "-"');
}
function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
