import { describe, expect, it } from 'vitest';
import { gramFloats } from '../../../shared/aggregation/gram.ts';
import { mixValues } from '../../../shared/aggregation/mixing.ts';
import { parseRuleSpec, resolvePreAggregator } from '../../../shared/aggregation/registry.ts';
import type { Mixing } from '../../../shared/aggregation/rule.ts';
import { bucketMixing } from '../../../shared/aggregation/rules/bucketing.ts';
import { floatScalar } from '../../../shared/aggregation/scalar.ts';
import { createRng } from '../../../shared/rng.ts';
import { expectClose, namedCase, type VectorCase, vectorCases } from './vector-cases.ts';

function mixtureOf({ rule, params, input }: VectorCase): Mixing {
  if (rule === 'Bucketing') return bucketMixing(params.permutation as readonly number[], params['s'] as number);
  const settings = params['c'] === undefined ? {} : { c: params['c'] as number };
  const spec = parseRuleSpec({ rule: 'Average', pre: [rule], f: params.f ?? 0, params: settings });
  return resolvePreAggregator(rule).mix({
    gram: gramFloats(input),
    f: spec.f,
    params: spec.params,
    scalar: floatScalar,
    unit: 1,
    reference: false,
    grain: null,
    random: createRng(0),
  });
}

function mixedRows(vector: VectorCase): number[][] {
  const mixing = mixtureOf(vector);
  const mixed = mixing.entries.map(() => [] as number[]);
  for (let at = 0; at < (vector.input[0] as readonly number[]).length; at += 1) {
    const values = new Float64Array(mixed.length);
    mixValues(
      mixing,
      Float64Array.from(vector.input, (row) => row[at] as number),
      values,
    );
    for (const [i, value] of values.entries()) mixed[i]?.push(value / mixing.denominator);
  }
  return mixed;
}

describe('mixtures of other libraries', () => {
  const all = vectorCases.filter(({ kind }) => kind === 'preaggregator');
  /** Next to 1e30 all other updates are equally far from the enormous one in float64: its neighbours are anyone's. */
  const compared = all.filter(({ name }) => name !== 'huge1e30__NNM');

  it('are all there', () => {
    const counts = new Map<string, number>();
    for (const { rule } of all) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ ARC: 10, Bucketing: 20, Clipping: 20, NNM: 10 });
    expect(compared).toHaveLength(all.length - 1);
  });

  for (const vector of compared) {
    it(vector.name, () => {
      const output = vector.output as readonly (readonly number[])[];
      const mixed = mixedRows(vector);
      expect(mixed).toHaveLength(output.length);
      for (const [i, row] of mixed.entries()) expectClose(row, output[i] as readonly number[]);
    });
  }

  it('huge1e30__NNM: every mixed update but the enormous one agrees', () => {
    const vector = namedCase('huge1e30__NNM');
    const huge = vector.input.findIndex((row) => row.some((value) => Math.abs(value) > 1e20));
    expect(huge).toBeGreaterThanOrEqual(0);
    for (const [i, row] of mixedRows(vector).entries()) {
      if (i !== huge) expectClose(row, (vector.output as readonly (readonly number[])[])[i] as readonly number[]);
    }
  });

  it('never overwrite what they are given', () => {
    for (const vector of all) {
      const copy = structuredClone(vector.input);
      mixedRows(vector);
      expect(vector.input).toEqual(copy);
    }
  });
});
