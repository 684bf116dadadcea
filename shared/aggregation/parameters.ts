import { didYouMean } from './nearest-name.ts';
import type { Parameter, Params } from './rule.ts';
import { RuleError } from './rule-error.ts';

/** A non-negative decimal number as text. */
const DECIMAL = /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;

/** A parameter that is a number and nothing else. */
export interface NumericParameter extends Parameter {
  /** Value when none is given. */
  readonly default: number;
}

/** Value of a parameter that is a number: what completed parameters say, or its default. */
export function numberParam(params: Params, parameter: NumericParameter): number {
  return Number(params[parameter.name] ?? parameter.default);
}

/**
 * Checks parameters, fills in defaults, and lists them by name, so that equal settings are equal texts.
 *
 * @param owner - the pipeline they are for, for messages
 * @param known - what the pipeline's members take
 * @param given - what was asked for; numbers may be written as text
 * @throws RuleError `rule/unknown-parameter`, `rule/bad-parameter`
 */
export function completeParams(owner: string, known: readonly Parameter[], given: Params): Params {
  const names = known.map((parameter) => parameter.name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const hint = names.length === 0 ? ' it takes none' : `${didYouMean(name, names)} it takes ${names.join(', ')}`;
    throw new RuleError('rule/unknown-parameter', `${owner} has no parameter "${name}":${hint}`, {
      rule: owner,
      parameter: name,
      known: names,
    });
  }
  const complete: Record<string, string | number> = {};
  const inOrder = [...known].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const parameter of inOrder) {
    complete[parameter.name] = checkValue(owner, parameter, given[parameter.name] ?? parameter.default);
  }
  return complete;
}

function checkValue(owner: string, parameter: Parameter, value: string | number): string | number {
  if (typeof value === 'string' && parameter.choices.includes(value)) return value;
  if (parameter.minimum !== undefined) {
    const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= parameter.minimum) return count;
  }
  if (parameter.real !== undefined) {
    const real = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
    const least = parameter.real === 'positive' ? Number.MIN_VALUE : 0;
    if (typeof real === 'number' && Number.isFinite(real) && real >= least) return real;
  }
  const allowed = [
    ...parameter.choices,
    ...(parameter.minimum === undefined ? [] : [`an integer from ${parameter.minimum}`]),
    ...(parameter.real === undefined ? [] : [`a ${parameter.real} number`]),
  ];
  const sentence = `${owner}'s parameter "${parameter.name}" cannot be "${value}": give one of ${allowed.join(', ')}`;
  throw new RuleError('rule/bad-parameter', sentence, {
    rule: owner,
    parameter: parameter.name,
    value,
    allowed,
  });
}
