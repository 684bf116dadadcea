import { didYouMean } from './nearest-name.ts';
import { completeParams } from './parameters.ts';
import type { Described, Parameter, Params, PreAggregator, Rule } from './rule.ts';
import { RuleError } from './rule-error.ts';
import { arc } from './rules/arc.ts';
import { average } from './rules/average.ts';
import { bucketing } from './rules/bucketing.ts';
import { bulyan } from './rules/bulyan.ts';
import { caf } from './rules/caf.ts';
import { centeredClipping } from './rules/centered-clipping.ts';
import { cge } from './rules/cge.ts';
import { clipping } from './rules/clipping.ts';
import { dnc } from './rules/dnc.ts';
import { flTrust } from './rules/fl-trust.ts';
import { geometricMedian } from './rules/geometric-median.ts';
import { krum } from './rules/krum.ts';
import { mda } from './rules/mda.ts';
import { meamed } from './rules/meamed.ts';
import { median } from './rules/median.ts';
import { monna } from './rules/monna.ts';
import { multiKrum } from './rules/multi-krum.ts';
import { nnm } from './rules/nnm.ts';
import { phocas } from './rules/phocas.ts';
import { signMajority } from './rules/sign-majority.ts';
import { smea } from './rules/smea.ts';
import { trimmedMean } from './rules/trimmed-mean.ts';

/** Every aggregation rule. */
export const RULES: readonly Rule[] = [
  average,
  median,
  trimmedMean,
  meamed,
  phocas,
  signMajority,
  krum,
  multiKrum,
  geometricMedian,
  centeredClipping,
  mda,
  smea,
  monna,
  caf,
  cge,
  dnc,
  flTrust,
  bulyan,
];

/** Every pre-aggregator that may stand in front of a rule. */
export const PRE_AGGREGATORS: readonly PreAggregator[] = [nnm, bucketing, clipping, arc];

/** The rules and pre-aggregators that names stand for. */
export interface RuleBook {
  /** Rules by name and alias. */
  readonly rules: readonly Rule[];
  /** Pre-aggregators by name and alias. */
  readonly preAggregators: readonly PreAggregator[];
}

/** What every party knows, and all that a job may use. A simulation may add a rule of its own. */
export const KNOWN_RULES: RuleBook = { rules: RULES, preAggregators: PRE_AGGREGATORS };

/** What a round aggregates by: pre-aggregators in order, then a rule. Names are canonical and parameters complete. */
export interface RuleSpec {
  /** Canonical name of the rule. */
  readonly rule: string;
  /** Canonical names of the pre-aggregators, the first applied first. */
  readonly pre: readonly string[];
  /** Participants that may be faulty. */
  readonly f: number;
  /** Every parameter of the rule and the pre-aggregators. */
  readonly params: Params;
}

/** A {@link RuleSpec} as people and plans write it: aliases are fine, and what is left out takes its default (f: 0). */
export interface RuleSpecInput {
  /** Name or alias of the rule. */
  readonly rule: string;
  /** Names or aliases of the pre-aggregators, the first applied first. */
  readonly pre?: readonly string[];
  /** Participants that may be faulty. */
  readonly f?: number;
  /** Parameters that differ from their defaults, by name, or by owner and name as in `Clipping.c`. */
  readonly params?: Params;
}

/**
 * Finds a rule by its name or an alias, in any letter case.
 *
 * @throws RuleError `rule/unknown`
 */
export function resolveRule(name: string, book: RuleBook = KNOWN_RULES): Rule {
  return find(book.rules, 'rule', name);
}

/**
 * Finds a pre-aggregator by its name or an alias, in any letter case.
 *
 * @throws RuleError `rule/unknown`
 */
export function resolvePreAggregator(name: string, book: RuleBook = KNOWN_RULES): PreAggregator {
  return find(book.preAggregators, 'pre-aggregator', name);
}

/**
 * Reads what to aggregate by, from an object or from text such as `TrMean`, `NNM+Krum` or
 * `NNM+MultiKrum:f=2,m=3,neighbours=original`: pre-aggregators first, then the rule, then settings.
 *
 * Whether f fits the number of participants is for the rule's `validate`, when that number is known.
 *
 * @throws RuleError `rule/unknown`, `rule/unknown-parameter`, `rule/bad-parameter`
 *
 * @example
 * ```ts
 * parseRuleSpec('nnm+trimmed-mean:f=1'); // { rule: 'TrMean', pre: ['NNM'], f: 1, params: {} }
 * ```
 */
export function parseRuleSpec(input: string | RuleSpecInput, book: RuleBook = KNOWN_RULES): RuleSpec {
  const given = typeof input === 'string' ? readText(input) : input;
  const rule = resolveRule(given.rule, book);
  const pre = (given.pre ?? []).map((name) => resolvePreAggregator(name, book));
  const f = given.f ?? 0;
  const owner = [...pre, rule].map((member) => member.name).join('+');
  if (!Number.isSafeInteger(f) || f < 0) {
    throw new RuleError('rule/bad-parameter', `${owner}'s f must be a whole number from 0, not "${f}"`, {
      rule: owner,
      parameter: 'f',
      value: f,
    });
  }
  // A pre-aggregator applied twice has its parameters once.
  const known = new Map<string, Parameter>();
  for (const member of [...pre, rule]) for (const parameter of member.parameters) known.set(parameter.name, parameter);
  const params = completeParams(owner, [...known.values()], unqualify(owner, [...pre, rule], given.params ?? {}));
  return { rule: rule.name, pre: pre.map((step) => step.name), f, params };
}

/** Settings such as `Clipping.c` under the bare names that a pipeline knows its parameters by. */
function unqualify(owner: string, members: readonly Described[], given: Params): Params {
  const bare = new Map<string, string | number>();
  for (const [key, value] of Object.entries(given)) {
    const dot = key.indexOf('.');
    const name = key.slice(dot + 1);
    const member = members.find((one) => dot > 0 && answersTo(one, key.slice(0, dot)));
    if (dot >= 0 && !member?.parameters.some((parameter) => parameter.name === name)) {
      const known = members.flatMap((one) => one.parameters.map((parameter) => `${one.name}.${parameter.name}`));
      const hint = known.length === 0 ? ' it takes none' : `${didYouMean(key, known)} it takes ${known.join(', ')}`;
      const sentence = `${owner} has no parameter "${key}":${hint}`;
      throw new RuleError('rule/unknown-parameter', sentence, { rule: owner, parameter: key, known });
    }
    if (bare.has(name)) {
      const sentence = `${owner}'s parameter "${name}" is given twice: give it once`;
      throw new RuleError('rule/bad-parameter', sentence, { rule: owner, parameter: name, value });
    }
    bare.set(name, value);
  }
  return Object.fromEntries(bare);
}

function answersTo(member: Described, name: string): boolean {
  return [member.name, ...member.aliases].some((known) => known.toLowerCase() === name.toLowerCase());
}

function readText(text: string): RuleSpecInput {
  const colon = text.indexOf(':');
  const names = (colon < 0 ? text : text.slice(0, colon)).split('+').map((name) => name.trim());
  const rule = names.pop() as string;
  const params = new Map<string, string>();
  for (const setting of colon < 0 ? [] : text.slice(colon + 1).split(',')) {
    const [name, value, more] = setting.split('=').map((part) => part.trim());
    if (!name || !value || more !== undefined || params.has(name)) {
      const sentence = `"${setting}" in "${text}" is not a setting: write each once, as name=value, with commas between`;
      throw new RuleError('rule/bad-parameter', sentence, { rule, parameter: name, value });
    }
    params.set(name, value);
  }
  const f = params.get('f') ?? '0';
  params.delete('f');
  return { rule, pre: names, f: /^\d+$/.test(f) ? Number(f) : Number.NaN, params: Object.fromEntries(params) };
}

function find<Found extends Described>(known: readonly Found[], kind: string, name: string): Found {
  const found = known.find((one) => answersTo(one, name));
  if (found !== undefined) return found;
  const names = known.flatMap((one) => [one.name, ...one.aliases]);
  const listed = known.map((one) => [one.name, ...one.aliases].join(' or '));
  throw new RuleError(
    'rule/unknown',
    `there is no ${kind} "${name}":${didYouMean(name, names)} known ones are ${listed.join(', ')}`,
    { [kind === 'rule' ? 'rule' : 'preAggregator']: name, known: known.map((one) => one.name) },
  );
}
