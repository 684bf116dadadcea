import { describeParameters, listParameters, type ParameterEntry } from '../parameter-list.ts';
import { PARTITIONS } from './registry.ts';

/** One partition, as a list of them shows it. */
export interface PartitionEntry {
  /** Canonical name. */
  readonly name: string;
  /** Other names. */
  readonly aliases: readonly string[];
  /** What it does. */
  readonly summary: string;
  /** The paper. */
  readonly source: string;
  /** Its parameters. */
  readonly parameters: readonly ParameterEntry[];
}

/** Every partition, in the registry's order. */
export function listPartitions(): PartitionEntry[] {
  return PARTITIONS.map(({ name, aliases, summary, source, parameters }) => ({
    name,
    aliases,
    summary,
    source,
    parameters: listParameters(parameters),
  }));
}

/** The list as text. */
export function describePartitions(entries: readonly PartitionEntry[]): string {
  const described = entries.map(({ name, aliases, summary, source, parameters }) => {
    const also = aliases.length === 0 ? '' : ` (${aliases.join(', ')})`;
    return [`  ${name}${also}`, `      ${summary}`, `      ${source}`, ...describeParameters(parameters)].join('\n');
  });
  return `${['Partitions: how examples are cut among the honest clients', ...described].join('\n')}\n`;
}
