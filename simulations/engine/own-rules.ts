import { resolve } from 'node:path';
import { KNOWN_RULES, type RuleBook } from '../../shared/aggregation/registry.ts';
import type { CoordinateRule, GramRule, LinearRule, Rule, SelectingRule } from '../../shared/aggregation/rule.ts';
import { RuleError, refuseBeyond } from '../../shared/aggregation/rule-error.ts';
import { describeOwn, importOwn, isOwnFile } from '../own-file.ts';
import { SimulationError } from './simulation-error.ts';

/** The functions that a rule must have, by what it sees. */
const REQUIRED = {
  values: ['denominator', 'reduce'],
  samples: ['shares'],
  gram: ['shares'],
  both: ['selected', 'select', 'stepFaulty'],
} as const;

type Refuse = (what: string) => SimulationError;

/**
 * The rules that everybody knows and those in files of one's own, each under the path that names it. A file's default export
 * is a rule as `shared/aggregation/rule.ts` describes it; what it states beside its name and its functions may be left out.
 * Its guarantee is none: it is known to this simulation alone.
 *
 * @param names - rules as they are named; those that are no paths are passed over
 * @param baseFolder - what paths are relative to
 * @throws SimulationError `simulation/bad-rule-file`, naming what is missing
 */
export async function loadOwnRules(names: readonly string[], baseFolder: string): Promise<RuleBook> {
  const paths = [...new Set(names.filter(isOwnFile))];
  const own = await Promise.all(paths.map((path) => loadRule(path, resolve(baseFolder, path))));
  return own.length === 0 ? KNOWN_RULES : { ...KNOWN_RULES, rules: [...KNOWN_RULES.rules, ...own] };
}

async function loadRule(name: string, path: string): Promise<Rule> {
  const exported = await importOwn(
    path,
    (what, cause) => new SimulationError('simulation/bad-rule-file', `the rule file ${path} ${what}`, { path }, cause),
  );
  return { ...ruleFromFile(exported, path), name, aliases: [] };
}

function ruleFromFile(exported: unknown, path: string): Rule {
  const refuse: Refuse = (what) => {
    const sentence = `the rule file ${path} ${what}: export default { name, sees, validate, … } as a rule of shared/aggregation/rules does`;
    return new SimulationError('simulation/bad-rule-file', sentence, { path });
  };
  const { own, description } = describeOwn(exported, path, refuse);
  const { sees, bound = 'f < n', yields } = own;
  if (sees !== 'values' && sees !== 'samples' && sees !== 'gram' && sees !== 'both') {
    throw refuse('has no "sees" that is values, samples, gram or both');
  }
  if (typeof bound !== 'string') throw refuse('has a "bound" that is no text');
  for (const name of REQUIRED[sees]) {
    if (typeof own[name] !== 'function')
      throw refuse(`has no function "${name}", which a rule that sees ${sees} needs`);
  }
  for (const name of ['validate', 'pivot'] as const) {
    if (own[name] !== undefined && typeof own[name] !== 'function') throw refuse(`has a "${name}" that is no function`);
  }
  if (yields !== undefined && yields !== 'lengths' && yields !== 'signs') {
    throw refuse('has a "yields" that is neither lengths nor signs');
  }
  const rule = exported as Rule;
  const common = {
    ...{ ...description, bound, guarantee: 'recomputable by anyone' as const },
    validate: (n: number, f: number, params?: Readonly<Record<string, string | number>>): void => {
      if (own['validate'] === undefined) refuseBeyond(description.name, n, f, n - 1);
      else refusing(description.name, n, f, () => rule.validate(n, f, params));
    },
  };
  // Methods may use `this`: they are called on the object that they came with.
  if (sees === 'values') {
    const { denominator, reduce } = methods(rule as CoordinateRule, 'denominator', 'reduce');
    return { ...common, family: 'coordinate', sees, denominator, reduce, ...(yields !== undefined && { yields }) };
  }
  if (sees === 'samples') return { ...common, family: 'coordinate', sees, ...methods(rule as LinearRule, 'shares') };
  if (sees === 'gram') {
    const gram = rule as GramRule;
    return { ...common, family: 'gram', sees, ...methods(gram, 'shares'), ...(gram.pivot && methods(gram, 'pivot')) };
  }
  const selecting = rule as SelectingRule;
  const step = (own['step'] ?? {}) as Partial<CoordinateRule>;
  if (step.sees !== 'values' || typeof step.reduce !== 'function' || typeof step.denominator !== 'function') {
    throw refuse('has no "step" that is a rule that sees values');
  }
  const bare = methods(selecting, 'selected', 'select', 'stepFaulty');
  return { ...common, family: 'gram', sees, ...bare, step: selecting.step };
}

/** A rule of one's own refuses by whatever error it likes; what it says is told as a refusal. */
function refusing(rule: string, n: number, f: number, validate: () => void): void {
  try {
    validate();
  } catch (error) {
    if (error instanceof RuleError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RuleError('rule/too-many-faulty', why, { rule, n, f }, error);
  }
}

/** Some methods of an object, each bound to it. */
function methods<Owner extends object, Name extends keyof Owner>(owner: Owner, ...names: Name[]): Pick<Owner, Name> {
  const entries = names.map((name) => [name, (owner[name] as (...given: unknown[]) => unknown).bind(owner)]);
  return Object.fromEntries(entries) as Pick<Owner, Name>;
}
