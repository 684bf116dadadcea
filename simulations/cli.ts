import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { configureRun } from '../client/cli/run-command.ts';
import { registerAggregateCommands } from './aggregate/cli.ts';
import { registerListCommands } from './attacks/cli.ts';
import { LONE_ATTACKS, mountAttack, parseLoneAttack } from './attacks/mount.ts';
import { registerBenchCommands } from './bench/cli.ts';
import { cheatOption, registerCheatCommands } from './cheats/cli.ts';
import { runDemo } from './demo/demo.ts';
import { nextCharacterJob } from './demo/next-character.ts';
import { registerSimulateCommands } from './experiment/cli.ts';

interface DemoFlags {
  readonly clients: number;
  readonly attackers: number;
  readonly attack: string;
  readonly rounds: number;
  readonly rule: string;
  readonly f?: number;
  readonly port: number;
  readonly seed: number;
  readonly data?: string;
  readonly keep?: string;
  readonly json?: string;
  readonly cheat?: string;
}

/** Exit code of a program that was interrupted, by the custom of shells. */
const INTERRUPTED = 130;

/** Adds `fedanchor demo`, `simulate`, `aggregate`, `rules`, `attacks`, `bench` and `attacker` to the command line. */
export function registerSimulationCommands(program: Command): void {
  program
    .command('demo')
    .description('show a federation at work on this machine, from training to audit and rewards')
    .option('--clients <n>', 'honest clients', wholeNumber(1, 50), 5)
    .option('--attackers <n>', 'attackers', wholeNumber(0, 50), 1)
    .option('--attack <name[:strength]>', attackHelp(), attackName, 'ipm:10')
    .addOption(cheatOption())
    .option('--rounds <n>', 'rounds', wholeNumber(1, 10_000), nextCharacterJob.rounds)
    .option(
      '--rule <rule>',
      'any of `fedanchor rules`, such as Average, Median or Krum; NNM+RULE puts NNM in front',
      'TrMean',
    )
    .option('--f <n>', 'faulty participants to withstand (default: the attackers; 0 for a mean)', wholeNumber(0, 50))
    .option('--port <n>', 'port of the coordinator, 0 for any free one', wholeNumber(0, 65_535), 0)
    .option(
      '--seed <n>',
      'seed of everything random: the same seed gives the same models',
      wholeNumber(0, 2 ** 32 - 1),
      1,
    )
    .option('--data <folder>', 'give each sub-folder of text to one participant (default: documentation of packages)')
    .option('--keep <folder>', 'keep the run in a new folder, for fedanchor verify --run')
    .option('--json <file>', 'write the whole run as one JSON document')
    .action(demo);

  registerSimulateCommands(program);
  registerAggregateCommands(program);
  registerListCommands(program);
  registerCheatCommands(program, wholeNumber);
  registerBenchCommands(program);

  const attacker = program.command('attacker', { hidden: true }).description('take part in a job as an attacker');
  configureRun<{ readonly attack: ReturnType<typeof parseLoneAttack> }>(
    attacker
      .command('run')
      .description('train honestly, send something else')
      .requiredOption('--attack <name[:strength]>', attackHelp(), parseLoneAttack),
    (trainer, { attack }) => mountAttack(trainer, attack),
  );
}

async function demo(flags: DemoFlags): Promise<void> {
  const lifetime = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lifetime.abort());
  const { f, data, keep, json, cheat, ...options } = flags;
  const entry = fileURLToPath(new URL('../fedanchor.js', import.meta.url));
  try {
    const holds = await runDemo({ ...options, f, data, keep, json, cheat }, entry, lifetime.signal);
    if (!holds) process.exitCode = 1;
  } catch (error) {
    if (!lifetime.signal.aborted) throw error;
    process.stderr.write('fedanchor: interrupted, everything was stopped\n');
    process.exitCode = INTERRUPTED;
  }
}

function attackHelp(): string {
  return `what attackers do; ${LONE_ATTACKS.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`;
}

function attackName(text: string): string {
  parseLoneAttack(text);
  return text;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
