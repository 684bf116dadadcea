import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parseRuleSpec, type RuleSpec } from '../../../shared/aggregation/registry.ts';

/** One committed case, see test/vectors/README.md. */
export interface VectorCase {
  readonly name: string;
  readonly library: string;
  readonly rule: string;
  readonly kind: 'aggregator' | 'aggregator-stateful' | 'preaggregator' | 'pipeline' | 'peer-behaviour';
  readonly params: Readonly<Record<string, unknown>> & {
    readonly f?: number;
    readonly permutation?: readonly number[];
    readonly random_starts?: readonly (readonly number[])[];
    readonly subset?: readonly number[];
    readonly selected_in_order?: readonly number[];
  };
  readonly input: readonly (readonly number[])[];
  readonly output: readonly number[] | readonly (readonly number[])[] | null;
  readonly tie_ambiguous?: boolean;
  readonly error?: string;
}

const folder = new URL('../../vectors/', import.meta.url);

/** Every committed case, by name. */
export const vectorCases: readonly VectorCase[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as VectorCase);

/** The case of a name. */
export function namedCase(name: string): VectorCase {
  const found = vectorCases.find((vector) => vector.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return found;
}

/** Settings of ours that a case's settings stand for, by the members of the pipeline they belong to. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  GeometricMedian: ['nu', 'T'],
  CenteredClipping: ['L', 'tau'],
  MoNNA: ['idx'],
  CAF: ['power_iterations'],
  MultiKrum: ['m'],
  Clipping: ['c'],
  Bucketing: ['s'],
};

/** Our name for what a case ran. A pipeline's case lists settings of steps it does not have. */
export function specOf({ library, rule, params, input }: VectorCase): RuleSpec {
  const names = rule.split('+');
  const settings: Record<string, string | number> = {};
  for (const name of names) {
    for (const setting of SETTINGS[name] ?? []) {
      if (params[setting] !== undefined) settings[setting] = params[setting] as number;
    }
  }
  if (/Krum$/.test(rule)) {
    const neighbours = library === 'FLPoison' ? 'epfl' : library.startsWith('paper') ? 'original' : 'byzfl';
    const count = input.length - (params.f ?? 0) - (neighbours === 'original' ? 2 : 1);
    if (params['neighbours'] !== undefined) expect(params['neighbours']).toBe(count);
    settings['neighbours'] = neighbours;
  }
  // Median alone carries no f: its value does not depend on it.
  return parseRuleSpec({
    rule: names.at(-1) as string,
    pre: names.slice(0, -1),
    f: params.f ?? 0,
    params: settings,
  });
}

/**
 * Expects every value to be within 1e-9 of what is wanted, relative to it. What is wanted to be zero may be as far from it
 * as rounding in the last place of the largest value.
 */
export function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = expected.findIndex((wanted, at) => {
    const tolerance = wanted === 0 ? 4 * Number.EPSILON * largest : 1e-9 * Math.abs(wanted);
    return !(Math.abs((found[at] as number) - wanted) <= tolerance);
  });
  if (off >= 0) expect.fail(`coordinate ${off}: ${found[off]} instead of ${expected[off]}`);
}
