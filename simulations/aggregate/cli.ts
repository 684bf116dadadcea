import { type Command, InvalidArgumentError } from 'commander';
import type { Fineness } from '../../shared/aggregation/encode-floats.ts';
import { aggregate } from '../../shared/runtime/aggregation.ts';
import { describeRules, listRules } from './describe-rules.ts';
import { formatOf, readUpdates } from './read-updates.ts';
import { writeAggregate } from './write-aggregate.ts';

interface AggregateFlags {
  readonly rule: string;
  readonly pre: readonly string[];
  readonly f: number;
  readonly param: Readonly<Record<string, string>>;
  readonly input: string;
  readonly output: string;
  readonly updateBits: Fineness;
  readonly seed: number;
  readonly reference?: string;
  readonly json?: true;
}

/** Adds `fedanchor aggregate` and `fedanchor rules` to the command line. */
export function registerAggregateCommands(program: Command): void {
  program
    .command('aggregate')
    .description('aggregate the updates in a file by any rule, in the integers that decide rounds')
    .requiredOption('--rule <name>', 'the rule; fedanchor rules lists them')
    .option('--pre <names>', 'pre-aggregators in front of it, the first applied first, with commas between', names, [])
    .option('--f <n>', 'updates that may be faulty', wholeNumber(2 ** 31), 0)
    .option('--param <name=value>', 'a parameter, such as nu=0.01 or Clipping.c=2; may be repeated', setting, {})
    .requiredOption('--input <file>', '.safetensors: one tensor [n, d] or n tensors; .json: { "input": [[…], …] }')
    .requiredOption('--output <file>', '.json: { output, weights, step }; .safetensors: one tensor')
    .option(
      '--update-bits <bits>',
      'auto: as fine as nothing is cut off; round: as a plan would; or a number',
      bits,
      'auto',
    )
    .option('--seed <n>', 'seed of what is random, as the shuffle of Bucketing', wholeNumber(2 ** 32 - 1), 0)
    .option(
      '--reference <file>',
      'one update more that is none: the server’s for FLTrust, the centre for CenteredClipping',
    )
    .option('--json', 'print what was done as JSON')
    .action(runAggregate);
  program
    .command('rules')
    .description('list every rule and pre-aggregator, with bounds, parameters and defaults')
    .option('--json', 'as JSON')
    .action(({ json }: { readonly json?: true }) => {
      const entries = listRules();
      process.stdout.write(json ? `${JSON.stringify(entries, null, 2)}\n` : describeRules(entries));
    });
}

async function runAggregate({ param, input, output, json, reference, ...flags }: AggregateFlags): Promise<void> {
  formatOf('--output', output);
  const { updates, names: tensors } = await readUpdates(input);
  const beside = reference === undefined ? undefined : (await readUpdates(reference)).updates[0];
  const result = await aggregate(updates, { ...flags, params: param, ...(beside && { reference: beside }) });
  await writeAggregate(output, result);
  const { spec, step, saturated, weights } = result;
  const n = updates.length;
  const d = result.output.length;
  if (json) {
    process.stdout.write(`${JSON.stringify({ spec, n, d, step, saturated, names: tensors, weights })}\n`);
    return;
  }
  const cut = saturated === 0 ? '' : `; ${saturated} coordinates were cut to ±8191 steps`;
  const pipeline = [...spec.pre, spec.rule].join('+');
  process.stdout.write(
    `${pipeline}, f = ${spec.f}: ${n} updates of ${d} coordinates, in steps of ${step}${cut} -> ${output}\n`,
  );
}

function names(text: string): string[] {
  return text === '' ? [] : text.split(',').map((name) => name.trim());
}

function setting(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals).trim();
  if (equals < 1 || name === '') throw new InvalidArgumentError('expected name=value');
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice`);
  return { ...before, [name]: text.slice(equals + 1).trim() };
}

function bits(text: string): Fineness {
  if (text === 'auto' || text === 'round') return text;
  if (/^-?\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected auto, round or a whole number');
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from 0 to ${most}`);
  };
}
