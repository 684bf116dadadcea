import { PRE_AGGREGATORS, RULES } from '../../shared/aggregation/registry.ts';
import type { Described } from '../../shared/aggregation/rule.ts';
import { describeParameters, listParameters, type ParameterEntry } from '../parameter-list.ts';

/** One rule or pre-aggregator, as a list of them shows it. */
export interface RuleEntry {
  /** Canonical name. */
  readonly name: string;
  /** Other names. */
  readonly aliases: readonly string[];
  /** What it looks at, or that it stands in front of a rule. */
  readonly family: 'coordinate' | 'gram' | 'pre-aggregator';
  /** What it does. */
  readonly summary: string;
  /** Breakdown bound. */
  readonly bound: string;
  /** How far a wrong result can be carried. */
  readonly guarantee: string;
  /** Parameters beyond f. */
  readonly parameters: readonly ParameterEntry[];
}

/** Every rule and pre-aggregator, in the registry's order. */
export function listRules(): RuleEntry[] {
  return [
    ...RULES.map((rule) => entryOf(rule, rule.family)),
    ...PRE_AGGREGATORS.map((step) => entryOf(step, 'pre-aggregator')),
  ];
}

/** The list as text. */
export function describeRules(entries: readonly RuleEntry[]): string {
  const section = (title: string, family: RuleEntry['family']): string =>
    [title, ...entries.filter((entry) => entry.family === family).map(describeEntry)].join('\n');
  return [
    section('Coordinate rules: each coordinate on its own', 'coordinate'),
    section('Gram rules: by the inner products of the updates', 'gram'),
    section('Pre-aggregators: in front of any rule (--pre), in any order', 'pre-aggregator'),
    '',
  ].join('\n\n');
}

function describeEntry({ name, aliases, summary, bound, guarantee, parameters }: RuleEntry): string {
  const also = aliases.length === 0 ? '' : ` (${aliases.join(', ')})`;
  return [
    `  ${name}${also}`,
    `      ${summary}`,
    `      ${bound}; ${guarantee}`,
    ...describeParameters(parameters),
  ].join('\n');
}

function entryOf(member: Described, family: RuleEntry['family']): RuleEntry {
  const { name, aliases, summary, bound, guarantee, parameters } = member;
  return {
    name,
    aliases,
    family,
    summary,
    bound,
    guarantee,
    parameters: listParameters(parameters),
  };
}
