import type { ConfigFinding } from '../../shared/config-check.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { resolveAttack } from '../attacks/registry.ts';
import { loadOwnRules } from '../engine/own-rules.ts';
import { resolvePartition } from '../partitions/registry.ts';
import { type Choice, type Resolve, readNamed, readRule } from './choice.ts';
import type { NamedAxes } from './grid.ts';
import type { Named } from './run-spec.ts';
import type { ExperimentFile } from './schema.ts';
import { readSettingText } from './setting-text.ts';

/**
 * Reads the rules, attacks and partitions that an experiment names.
 *
 * @param baseFolder - what paths of own files are relative to
 * @param findings - where everything that is wrong with them is told
 */
export async function readAxes(
  { grid }: ExperimentFile,
  baseFolder: string,
  findings: ConfigFinding[],
): Promise<NamedAxes> {
  const told = async <Value>(field: string, read: () => Promise<Value> | Value): Promise<Value[]> => {
    try {
      return [await read()];
    } catch (error) {
      if (!(error instanceof FedanchorError)) throw error;
      findings.push({ field, message: error.message });
      return [];
    }
  };
  const book = await told('grid.rule', () => loadOwnRules(grid.rule.map(lastName), baseFolder));
  const rules: NamedAxes['rules'][number][] = [];
  const attacks: Choice<Named | null>[] = [];
  const partitions: Choice<Named>[] = [];
  for (const known of book) {
    for (const pre of grid.pre) {
      for (const rule of grid.rule) rules.push(...(await told('grid.rule', () => readRule(pre, rule, known))));
    }
  }
  for (const text of grid.attack) {
    const none: Choice<Named | null> = { label: 'none', value: null };
    attacks.push(
      ...(text === 'none' ? [none] : await told('grid.attack', () => readNamed(text, attackIn(baseFolder)))),
    );
  }
  for (const text of grid.partition) {
    partitions.push(...(await told('grid.partition', () => readNamed(text, partitionIn(baseFolder)))));
  }
  return { rules, attacks, partitions };
}

/** The rule that a pipeline ends in. */
function lastName(text: string): string {
  return readSettingText(text).names.at(-1) ?? '';
}

function attackIn(baseFolder: string): Resolve {
  return async (named) => {
    const { attack, params } = await resolveAttack(named, baseFolder);
    return { entry: attack, params };
  };
}

function partitionIn(baseFolder: string): Resolve {
  return async (named) => {
    const { partition, params } = await resolvePartition(named, baseFolder);
    return { entry: partition, params };
  };
}
