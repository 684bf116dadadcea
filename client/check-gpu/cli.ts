import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { BACKEND_NAMES, type BackendName, type BackendPackages } from '../trainers/tfjs/backend.ts';
import { checkGpu, renderThroughput, TOLERANCES } from './check-gpu.ts';
import { type ChildWork, doChildWork } from './child-work.ts';
import { CHILD_FLAG, runChild } from './run-child.ts';
import { THROUGHPUT_MODELS } from './throughput-models.ts';

interface Flags {
  readonly backend?: readonly BackendName[];
  readonly device?: string;
  readonly models: readonly string[];
  readonly seconds: number;
  readonly leakRounds: number;
  readonly limit: number;
  readonly suite: boolean;
  readonly json?: string;
}

/**
 * `npm run check:gpu`: the suite that every backend must pass, and a table of training steps. The exit code is 1 when a check
 * fails or a backend that was asked for is not there.
 *
 * @param args - the command line, without Node and script
 * @param packages - how the packages behind backends are brought in, where they are not installed
 */
export async function runCheckGpu(args: readonly string[], packages: Partial<BackendPackages> = {}): Promise<void> {
  const [flag, work] = args;
  if (flag === CHILD_FLAG) return child(JSON.parse(work as string) as ChildWork, packages);
  const names = THROUGHPUT_MODELS.map(({ name }) => name);
  const command = new Command('check:gpu')
    .description('check that this machine trains as it should on its GPU, and how fast')
    .addOption(new Option('--backend <names...>', 'which backends (default: all but cpu)').choices([...BACKEND_NAMES]))
    .option('--device <device>', 'which GPU: an index or a name')
    .addOption(new Option('--models <names...>', 'whose training steps are timed').choices(names).default(names))
    .option('--seconds <n>', 'how long each is timed', positive, 5)
    .option('--leak-rounds <n>', 'rounds after which no tensor must be left over', positive, 100)
    .option('--limit <seconds>', 'after which the suite or a model is given up', positive, 600)
    .option('--no-suite', 'time steps only')
    .option('--bundle <folder>', 'write a folder that does this on a machine without Node (from a checkout only)')
    .option('--json <file>', 'write everything that was found')
    .action(check);
  await command.parseAsync([...args], { from: 'user' });
}

async function check(flags: Flags): Promise<void> {
  const report = await checkGpu(
    {
      ...(flags.backend === undefined ? {} : { backends: flags.backend }),
      ...(flags.device === undefined ? {} : { device: flags.device }),
      models: flags.models,
      seconds: flags.seconds,
      leakRounds: flags.suite ? flags.leakRounds : 0,
      limitSeconds: flags.limit,
    },
    runChild,
    (line) => process.stdout.write(`${line}\n`),
  );
  process.stdout.write(`\n${renderThroughput(report)}\n`);
  if (flags.suite) process.stdout.write(`\nThe suite: ${TOLERANCES}.\n`);
  if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
  const isAbsent = flags.backend !== undefined && report.missing.length > 0;
  if (isAbsent || report.backends.some(({ passed }) => !passed)) process.exitCode = 1;
}

async function child(work: ChildWork, packages: Partial<BackendPackages>): Promise<void> {
  const outcome = await doChildWork(work, packages, ({ name, passed, detail }) => {
    process.stdout.write(`${passed ? 'passed' : 'FAILED'}  ${work.backend} ${name}: ${detail}\n`);
  });
  process.send?.(outcome);
  process.disconnect?.();
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number above 0');
  return value;
}
