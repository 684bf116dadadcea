import { whatItTakes } from '../shared/aggregation/parameters.ts';
import type { Parameter } from '../shared/aggregation/rule.ts';

/** One parameter, as a list shows it. */
export interface ParameterEntry {
  /** Name. */
  readonly name: string;
  /** Value when none is given. */
  readonly default: string | number;
  /** What it takes. */
  readonly takes: string;
  /** What it decides. */
  readonly meaning: string;
}

/** Parameters, as a list shows them. */
export function listParameters(parameters: readonly Parameter[]): ParameterEntry[] {
  return parameters.map((parameter) => ({
    name: parameter.name,
    default: parameter.default,
    takes: whatItTakes(parameter).join(', '),
    meaning: parameter.meaning,
  }));
}

/** Parameters as indented lines of text. */
export function describeParameters(entries: readonly ParameterEntry[]): string[] {
  return entries.map(
    ({ name, default: value, meaning, takes }) => `      ${name} = ${value}: ${meaning}; takes ${takes}`,
  );
}
