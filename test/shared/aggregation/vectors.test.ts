import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { gramFloats } from '../../../shared/aggregation/gram.ts';
import { mixValues } from '../../../shared/aggregation/mixing.ts';
import { parseRuleSpec, type RuleSpec } from '../../../shared/aggregation/registry.ts';
import { nnm } from '../../../shared/aggregation/rules/nnm.ts';
import { floatScalar } from '../../../shared/aggregation/scalar.ts';
import { type VectorCase, vectorCases } from './vector-cases.ts';

/**
 * Cases not compared to 1e-9, each with its reason: a tie decides them and each library breaks it its own way. What
 * must hold all the same is tested below.
 */
const TIED: Readonly<Record<string, string>> = {
  minimal__Krum: 'with one neighbour each, the two closest updates have equal scores',
  huge1e30__NNM: 'next to 1e30 all other updates are equally far from it in float64',
  'huge1e30__NNM+Median': 'as huge1e30__NNM',
  'huge1e30__NNM+MultiKrum': 'as huge1e30__NNM',
  'huge1e30__NNM+TrMean': 'as huge1e30__NNM',
  'twoclusters__NNM+MultiKrum': 'several mixed updates are the same vector with equal scores',
};

function specOf({ library, rule, params, input }: VectorCase): RuleSpec {
  const names = rule.split('+');
  const settings: Record<string, string> = {};
  if (/Krum$/.test(rule)) {
    const neighbours = library === 'FLPoison' ? 'epfl' : library.startsWith('paper') ? 'original' : 'byzfl';
    const count = input.length - (params.f ?? 0) - (neighbours === 'original' ? 2 : 1);
    if (params.neighbours !== undefined) expect(params.neighbours).toBe(count);
    settings['neighbours'] = neighbours;
  }
  if (params.m !== undefined) settings['m'] = String(params.m);
  // Pipelines carry an f for all their steps, and Median alone carries none: its value does not depend on it.
  return parseRuleSpec({
    rule: names.at(-1) as string,
    pre: names.slice(0, -1),
    f: params.f ?? 0,
    params: settings,
  });
}

function mixedRows({ input, params }: VectorCase): number[][] {
  const mixing = nnm.mix(gramFloats(input), params.f as number, {}, floatScalar);
  const mixed = input.map(() => [] as number[]);
  for (let at = 0; at < (input[0] as readonly number[]).length; at += 1) {
    const values = new Float64Array(input.length);
    mixValues(
      mixing,
      Float64Array.from(input, (row) => row[at] as number),
      values,
    );
    for (const [i, value] of values.entries()) mixed[i]?.push(value / mixing.denominator);
  }
  return mixed;
}

function run(vector: VectorCase): number[] {
  if (vector.kind === 'preaggregator') return mixedRows(vector).flat();
  return [...aggregateFloats(vector.input, specOf(vector), { enforceBound: false }).output];
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const off = found.findIndex((value, at) => {
    const wanted = expected[at] as number;
    return !(Math.abs(value - wanted) <= 1e-9 * Math.abs(wanted));
  });
  if (off >= 0) expect.fail(`coordinate ${off}: ${found[off]} instead of ${expected[off]}`);
}

describe('reference outputs of other libraries', () => {
  const compared = vectorCases.filter((vector) => !(vector.name in TIED));

  it('are all there, and what is left out says why', () => {
    const counts = new Map<string, number>();
    for (const { rule } of compared) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({
      Average: 10,
      Median: 10,
      TrMean: 10,
      Krum: 23,
      MultiKrum: 17,
      NNM: 9,
      'NNM+Median': 9,
      'NNM+MultiKrum': 8,
      'NNM+TrMean': 9,
    });
    const tied = vectorCases.filter((vector) => vector.tie_ambiguous).map((vector) => vector.name);
    expect(Object.keys(TIED).sort()).toEqual(tied.sort());
  });

  for (const vector of compared) {
    it(vector.name, () => expectClose(run(vector), vector.output.flat()));
  }
});

describe('reference outputs that a tie decides', () => {
  const named = (name: string): VectorCase => vectorCases.find((vector) => vector.name === name) as VectorCase;

  it('minimal__Krum: the lowest index of the tied updates is taken', () => {
    const vector = named('minimal__Krum');
    const scores = vector.input.map((row, i) =>
      Math.min(
        ...vector.input.flatMap((other, j) =>
          i === j ? [] : [row.reduce((sum, value, at) => sum + (value - (other[at] as number)) ** 2, 0)],
        ),
      ),
    );
    const tied = scores.map((_, index) => index).filter((index) => scores[index] === Math.min(...scores));
    expect(tied.length).toBeGreaterThan(1);
    expect(tied.map((index) => vector.input[index])).toContainEqual(vector.output);
    expect(run(vector)).toEqual(vector.input[tied[0] as number]);
  });

  it('huge1e30__NNM: every mixed update but the enormous one agrees', () => {
    const vector = named('huge1e30__NNM');
    const huge = vector.input.findIndex((row) => row.some((value) => Math.abs(value) > 1e20));
    expect(huge).toBeGreaterThanOrEqual(0);
    const mixed = mixedRows(vector);
    for (const [i, row] of mixed.entries()) {
      if (i !== huge) expectClose(row, vector.output[i] as readonly number[]);
    }
  });

  it('twoclusters__NNM+MultiKrum: both averages lie among the mixed updates', () => {
    const vector = named('twoclusters__NNM+MultiKrum');
    const single = named('twoclusters__NNM');
    expect(vector.input).toEqual(single.input);
    // Which of the equal mixtures are averaged is open, so only their convex hull is certain.
    const mixed = mixedRows(single);
    for (const outputs of [run(vector), vector.output as readonly number[]]) {
      for (const [at, value] of outputs.entries()) {
        const column = mixed.map((row) => row[at] as number);
        expect(value).toBeGreaterThanOrEqual(Math.min(...column) - 1e-9);
        expect(value).toBeLessThanOrEqual(Math.max(...column) + 1e-9);
      }
    }
  });
});
