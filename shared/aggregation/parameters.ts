import { didYouMean } from './nearest-name.ts';
import type { Parameter, Params } from './rule.ts';
import { RuleError } from './rule-error.ts';

/** A decimal number as text. */
const DECIMAL = /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;

/** The smallest real number of each kind. */
const LEAST = { positive: Number.MIN_VALUE, 'non-negative': 0, signed: -Number.MAX_VALUE } as const;

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

/** What a parameter takes, in words: its choices, and the numbers beside them. */
export function whatItTakes({ choices, minimum, maximum, real }: Parameter): string[] {
  const most = maximum === undefined ? '' : ` up to ${maximum}`;
  return [
    ...choices,
    ...(minimum === undefined ? [] : [`an integer from ${minimum}${most}`]),
    ...(real === undefined ? [] : [`a ${real} number${most}`]),
  ];
}

function checkValue(owner: string, parameter: Parameter, value: string | number): string | number {
  if (typeof value === 'string' && parameter.choices.includes(value)) return value;
  const most = parameter.maximum ?? Number.MAX_VALUE;
  if (parameter.minimum !== undefined) {
    const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= parameter.minimum && count <= most) {
      return count;
    }
  }
  if (parameter.real !== undefined) {
    const real = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
    if (typeof real === 'number' && Number.isFinite(real) && real >= LEAST[parameter.real] && real <= most) {
      // A zero has no sign: equal settings are equal texts.
      return real === 0 ? 0 : real;
    }
  }
  const allowed = whatItTakes(parameter);
  const sentence = `${owner}'s parameter "${parameter.name}" cannot be "${value}": give one of ${allowed.join(', ')}`;
  throw new RuleError('rule/bad-parameter', sentence, {
    rule: owner,
    parameter: parameter.name,
    value,
    allowed,
  });
}
