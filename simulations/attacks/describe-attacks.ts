import { describeParameters, listParameters, type ParameterEntry } from '../parameter-list.ts';
import { SIMULATED_ATTACKS } from './registry.ts';
import type { SimulatedAttack } from './scene.ts';

/** One attack, as a list of them shows it. */
export interface AttackEntry {
  /** Canonical name. */
  readonly name: string;
  /** Other names. */
  readonly aliases: readonly string[];
  /** What it changes: the update that is sent, the data that is trained on, the samples that are stated. */
  readonly kind: SimulatedAttack['kind'];
  /** The least that it has to know; of attacks on data and statements, nothing of others. */
  readonly knows: 'own' | 'honest' | 'rule';
  /** What it does. */
  readonly summary: string;
  /** The paper. */
  readonly source: string;
  /** Its parameters. */
  readonly parameters: readonly ParameterEntry[];
}

const TITLES: Readonly<Record<AttackEntry['kind'], string>> = {
  update: 'On updates: what is sent is forged',
  data: 'On data: what is trained on is poisoned',
  claim: 'On statements: what is stated beside the update is false',
};

const KNOWLEDGE: Readonly<Record<AttackEntry['knows'], string>> = {
  own: 'needs nothing of others: one client can mount it alone',
  honest: 'needs several updates',
  rule: 'needs several updates, and tries the rule out',
};

/** Every attack, in the registry's order. */
export function listAttacks(): AttackEntry[] {
  return SIMULATED_ATTACKS.map((attack) => ({
    name: attack.name,
    aliases: attack.aliases,
    kind: attack.kind,
    knows: attack.kind === 'update' ? attack.looksAt : 'own',
    summary: attack.summary,
    source: attack.source,
    parameters: listParameters(attack.parameters),
  }));
}

/** The list as text. */
export function describeAttacks(entries: readonly AttackEntry[]): string {
  const kinds = Object.keys(TITLES) as AttackEntry['kind'][];
  const sections = kinds.map((kind) => [
    TITLES[kind],
    ...entries.filter((entry) => entry.kind === kind).map(describeEntry),
  ]);
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function describeEntry({ name, aliases, kind, knows, summary, source, parameters }: AttackEntry): string {
  const also = aliases.length === 0 ? '' : ` (${aliases.join(', ')})`;
  const lines = [summary, ...(kind === 'update' ? [KNOWLEDGE[knows]] : []), source];
  return [`  ${name}${also}`, ...lines.map((line) => `      ${line}`), ...describeParameters(parameters)].join('\n');
}
