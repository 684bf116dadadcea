import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type OutputOptions, print } from '../cli/output.ts';
import { jobPath, readJobs } from '../job-shelf.ts';
import { findAmong } from '../operator/find-job.ts';
import { checkJob, type JobReport } from './check-job.ts';
import { initJob } from './init-job.ts';
import { TEMPLATES, type TemplateName } from './job-templates.ts';
import { describeFiles, serveFiles, sourceText } from './publish-files.ts';
import type { TaskWorkbench } from './task-workbench.ts';

interface InitOptions extends OutputOptions {
  readonly template: TemplateName;
  readonly out: string;
  readonly name?: string;
  readonly seed: number;
}

interface CheckOptions extends OutputOptions {
  readonly funding?: bigint;
  readonly decimals?: number;
}

/** Exit code of a job that would not work. */
const NOT_SOUND = 1;

/**
 * Adds `init` and `check` to `fedanchor job`, which is there already.
 *
 * @param workbench - what clients know of tasks
 */
export function registerAuthorCommands(program: Command, workbench: TaskWorkbench): void {
  const job =
    program.commands.find((command) => command.name() === 'job') ??
    program.command('job').description('write jobs and check them');
  job
    .command('init')
    .description('write a folder with a commented job that can be created as it is')
    .addOption(new Option('--template <kind>', 'what is trained').choices(TEMPLATES).makeOptionMandatory())
    .requiredOption('--out <folder>', 'folder to make')
    .option('--name <name>', 'name of the job (default: the template and "job")')
    .option('--seed <number>', 'the same seed draws the same weights on every machine', parseSeed, 1)
    .option('--json', 'print JSON', false)
    .action((options: InitOptions) => init(options, workbench));
  job
    .command('check')
    .description(
      'say everything that is wrong with a job before anything is on chain; exits with 1 if it would not work',
    )
    .argument('<place>', "the job's file, or the folder with its job.toml")
    .option('--funding <amount>', "what sponsors put in, in the token's smallest unit", parseAmount)
    .option('--decimals <number>', "the token's decimal places (default: 18)", parseDecimals)
    .option('--json', 'print JSON', false)
    .action((place: string, options: CheckOptions) => check(place, options, workbench));
  job
    .command('data')
    .description('publish a data set, for participants that have none: say what the job must say, and serve the files')
    .argument('<file...>', 'the files of the data set')
    .option('--shards <number>', 'into how many parts its training examples are divided', parseCount, 1)
    .option('--any-backend', 'let everyone train on what they have; nobody can repeat it then', false)
    .option('--job <job>', 'a created job: its coordinator serves the files from now on')
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--json', 'print JSON', false)
    .action(publish);
}

interface DataOptions extends OutputOptions {
  readonly shards: number;
  readonly anyBackend: boolean;
  readonly job?: string;
  readonly dir: string;
}

async function publish(files: readonly string[], options: DataOptions): Promise<void> {
  if (options.job === undefined) {
    const { shards, anyBackend } = options;
    const source = await describeFiles(files, { shards, exact: !anyBackend });
    print(options, { source }, () => ["# for the job's file:", sourceText(source)]);
    return;
  }
  const { job } = findAmong(await readJobs(options.dir), options.job);
  const ids = await serveFiles(jobPath(options.dir, job), files);
  print(options, { job, ids }, () => [`${ids.length} files are served to the participants of ${job}`]);
}

async function init(options: InitOptions, workbench: TaskWorkbench): Promise<void> {
  const { template, out, seed, name = `${template} job` } = options;
  const { file, files, advice } = await initJob(out, template, { name, seed }, workbench);
  print(options, { file, files, advice }, () => [
    ...files.map((each) => `${each} is written`),
    advice,
    `next: edit ${file}, then fedanchor job check ${out}`,
  ]);
}

async function check(place: string, options: CheckOptions, workbench: TaskWorkbench): Promise<void> {
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() === true;
  const file = isFolder ? join(place, 'job.toml') : place;
  const { funding: amount, decimals } = options;
  const report = await checkJob(file, workbench, {
    ...(amount === undefined ? {} : { amount }),
    ...(decimals === undefined ? {} : { decimals }),
  });
  const { facts } = report;
  print(
    options,
    { file, ...report, ...(facts && { facts: { ...facts, mostRewards: String(facts.mostRewards) } }) },
    () => linesOf(file, report),
  );
  if (!report.isSound) process.exitCode = NOT_SOUND;
}

function linesOf(file: string, { isSound, findings, facts }: JobReport): string[] {
  const count = (severity: 'error' | 'warning') => {
    const { length } = findings.filter((each) => each.severity === severity);
    return `${length} ${severity}${length === 1 ? '' : 's'}`;
  };
  const size =
    facts?.parameters === undefined ? '' : `, ${facts.parameters} parameters, ${facts.updateBytes} bytes an update`;
  return [
    ...(facts ? [`${facts.name}: ${facts.rounds} rounds${size}, at most ${facts.mostRewards} in rewards`] : []),
    ...findings.map(
      ({ severity, code, field, message }) =>
        `${severity}: ${field === '' ? '' : `field "${field}": `}${message} [${code}]`,
    ),
    `${file}: ${count('error')}, ${count('warning')}${isSound ? '' : ': it would not work'}`,
  ];
}

function parseSeed(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of 0 or more');
}

function parseCount(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1');
}

function parseDecimals(text: string): number {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 0 to 99');
}

function parseAmount(text: string): bigint {
  if (/^(0|[1-9][0-9]{0,37})$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("expected a whole number in the token's smallest unit");
}
