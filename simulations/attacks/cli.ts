import type { Command } from 'commander';
import { describePartitions, listPartitions } from '../partitions/describe-partitions.ts';
import { describeAttacks, listAttacks } from './describe-attacks.ts';

/** Adds `fedanchor attacks` and `fedanchor partitions` to the command line. */
export function registerListCommands(program: Command): void {
  program
    .command('attacks')
    .description('list every attack that a simulation can mount, with parameters, defaults and papers')
    .option('--json', 'as JSON')
    .action(({ json }: { readonly json?: true }) => print(listAttacks(), json, describeAttacks));
  program
    .command('partitions')
    .description('list every way that a simulation can cut data among clients, with parameters and papers')
    .option('--json', 'as JSON')
    .action(({ json }: { readonly json?: true }) => print(listPartitions(), json, describePartitions));
}

function print<Entry>(
  entries: readonly Entry[],
  json: true | undefined,
  describe: (entries: readonly Entry[]) => string,
): void {
  process.stdout.write(json ? `${JSON.stringify(entries, null, 2)}\n` : describe(entries));
}
