import { parseRuleSpec, type RuleBook, type RuleSpec, resolveRule } from '../../shared/aggregation/registry.ts';
import type { Parameter, Params } from '../../shared/aggregation/rule.ts';
import { isOwnFile } from '../own-file.ts';
import type { Named } from './run-spec.ts';
import { readSettingText, SettingError, settingText } from './setting-text.ts';

/** A value of an axis of the grid, and how it is shown. */
export interface Choice<Value> {
  /** Canonical names with the parameters that were given. */
  readonly label: string;
  /** What it stands for, complete. */
  readonly value: Value;
}

/** A rule with what stands in front of it. */
export interface RuleChoice extends Choice<Omit<RuleSpec, 'f'>> {
  /** Whether it withstands nobody, as a plain mean: it is run with f = 0, however many attack it. */
  readonly withstandsNone: boolean;
}

/** What finds an attack or a partition by name or in a file, and completes its parameters. */
export type Resolve = (named: Named) => Promise<{
  readonly entry: { readonly name: string; readonly parameters: readonly Parameter[] };
  readonly params: Params;
}>;

/**
 * Reads an attack or a partition: `NAME`, `NAME:name=value,…`, or `NAME:value` for its first parameter.
 *
 * @throws SettingError, and what `resolve` throws
 */
export async function readNamed(text: string, resolve: Resolve): Promise<Choice<Named>> {
  const { names, params } = readSettingText(text);
  const [name, more] = names;
  if (name === undefined || more !== undefined) {
    throw new SettingError('experiment/bad-setting', `"${text}" is not one name: write one, with its settings`, {
      text,
    });
  }
  const { entry } = await resolve({ name, params: {} });
  const given = Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key === '' ? (entry.parameters[0]?.name ?? key) : key, value]),
  );
  const shown = isOwnFile(name) ? name : entry.name;
  const complete = await resolve({ name, params: given });
  return { label: settingText([shown], given), value: { name: shown, params: complete.params } };
}

/**
 * Reads a rule with what stands in front of it: the pre-aggregators of one axis, then the text of the other.
 *
 * @param pre - such as `Clipping+NNM:Clipping.c=2`, or `none`
 * @param text - such as `GeometricMedian:nu=0.1`, which may name pre-aggregators of its own
 * @param book - what names stand for; an own rule stands in it under its path
 * @throws SettingError, RuleError
 */
export function readRule(pre: string, text: string, book: RuleBook): RuleChoice {
  const front = pre === 'none' ? { names: [], params: {} } : readSettingText(pre);
  const { names, params } = readSettingText(text);
  const given = { ...front.params, ...params };
  for (const [fault, remedy] of [
    ['f', 'as grid.f, or as a list of several'],
    ['', 'with its name, as in nu=0.1'],
  ] as const) {
    if (!Object.hasOwn(given, fault)) continue;
    const sentence = `"${text}" gives a setting that cannot stand here: give it ${remedy}`;
    throw new SettingError('experiment/bad-setting', sentence, { text });
  }
  const rule = names.at(-1) ?? '';
  const before = [...front.names, ...names.slice(0, -1)];
  const { f: _, ...value } = parseRuleSpec({ pre: before, rule, f: 0, params: given }, book);
  const withstandsNone = value.pre.length === 0 && resolveRule(value.rule, book).bound === 'f = 0';
  return { label: settingText([...value.pre, value.rule], given), value, withstandsNone };
}
