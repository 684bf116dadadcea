import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramFloats, gramMatrix } from '../../../shared/aggregation/gram.ts';
import { compilePipeline, planPipeline } from '../../../shared/aggregation/pipeline.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { exactScalar, floatScalar } from '../../../shared/aggregation/scalar.ts';
import { createRng } from '../../../shared/rng.ts';
import { namedCase, specOf, vectorCases } from './vector-cases.ts';

const ones = (rows: readonly unknown[]): number[] => rows.map(() => 1);

/** Numbers that JSON has no word for are written as text. */
const numeric = (rows: readonly (readonly unknown[])[]): number[][] => rows.map((row) => row.map(Number));

describe('what other libraries get wrong', () => {
  const broken = vectorCases.filter(({ kind }) => kind === 'peer-behaviour');

  it('is recorded for a NaN row and an infinite row, under twelve rules', () => {
    expect(broken).toHaveLength(24);
  });

  it.each(broken.map((vector) => [vector.name, vector] as const))('%s: refused, naming the update', (_, vector) => {
    const spec =
      vector.rule === 'NNM' || vector.rule === 'ARC' ? parseRuleSpec(`${vector.rule}+Median:f=2`) : specOf(vector);
    const bad = vector.params['bad_row'];
    const run = () => aggregateFloats(numeric(vector.input), spec, { enforceBound: false });
    expect(run).toThrow(
      expect.objectContaining({
        code: 'aggregation/non-finite',
        data: expect.objectContaining({ what: `update ${bad}`, coordinate: 0 }),
      }),
    );
  });

  it('Krum above 25 rows: distances are exact, however far from zero the updates lie', () => {
    // Distances of a few units among updates of length 8000 sqrt(200): a float32 cdist by inner products loses them.
    const rng = createRng(26);
    const n = 30;
    const rows = Array.from({ length: n }, () => Int16Array.from({ length: 200 }, () => 8000 + rng.below(3) - 1));
    const distances = rows.map((row) =>
      rows.map((other) => row.reduce((sum, value, at) => sum + (value - (other[at] as number)) ** 2, 0)),
    );
    const f = 8;
    const scores = distances.map((row) =>
      [...row]
        .sort((a, b) => a - b)
        .slice(1, n - f)
        .reduce((a, b) => a + b, 0),
    );
    const best = scores.indexOf(Math.min(...scores));
    const { active } = aggregateIntegers(rows, parseRuleSpec({ rule: 'Krum', f }), ones(rows));
    expect(active.indexOf(true)).toBe(best);
    // In float32, as `|a|^2 + |b|^2 - 2<a, b>`, hardly any of these distances survives.
    const single = distances.flatMap((row, i) =>
      row.map((exact, j) => {
        const inner = (a: Int16Array, b: Int16Array) =>
          a.reduce((sum, value, at) => Math.fround(sum + value * (b[at] as number)), 0);
        const [a, b] = [rows[i] as Int16Array, rows[j] as Int16Array];
        return Math.abs(Math.fround(inner(a, a) + inner(b, b) - 2 * inner(a, b)) - exact) > exact / 2;
      }),
    );
    expect(single.filter(Boolean).length).toBeGreaterThan(n);
  });

  it('CAF that never ends: ends on the inputs it was recorded on, and on an outlier a million times larger', () => {
    for (const name of ['huge1e30__CAF', 'outliers__CAF']) {
      const vector = namedCase(name);
      expect(aggregateFloats(vector.input, specOf(vector)).output.every(Number.isFinite)).toBe(true);
    }
    const rows = namedCase('gauss_a__CAF').input.map((row, i) => (i === 3 ? row.map((value) => value * 1e6) : row));
    const { output } = aggregateFloats(rows, parseRuleSpec('CAF:f=2'));
    expect(Math.max(...output.map(Math.abs))).toBeLessThan(10);
  });

  it('NNM that holds n (n - f) d numbers: ours is n x n entries in front of a coordinate rule, shares in front of any other', () => {
    const n = 50;
    const rng = createRng(1);
    const rows = Array.from({ length: n }, () => Int16Array.from({ length: 32 }, () => rng.below(2001) - 1000));
    const gram = gramMatrix(rows);
    const plan = (text: string) =>
      planPipeline(compilePipeline(parseRuleSpec(text), n, true), () => gram, ones(rows), exactScalar, {
        updateBits: 0,
        seed: 0,
      });
    const mixed = plan('NNM+TrMean:f=10');
    expect(mixed.kind === 'reduce' && mixed.mixing?.entries.flat()).toHaveLength(n * n);
    const summed = plan('NNM+GeometricMedian:f=10');
    expect(summed.kind === 'sum' && summed.shares).toHaveLength(n);
  });

  it('Clipping and ARC that overwrite what they are given: ours leave it alone', () => {
    for (const text of ['Clipping+Average:c=0.5', 'ARC+TrMean:f=2', 'Clipping+ARC+Median:f=2,c=1']) {
      const { input } = namedCase('gauss_a__ARC');
      const copy = structuredClone(input);
      aggregateFloats(input, parseRuleSpec(text));
      expect(input).toEqual(copy);
      const integers = input.map((row) => Int16Array.from(row, (value) => Math.round(value * 1000)));
      const copies = integers.map((row) => row.slice());
      aggregateIntegers(integers, parseRuleSpec(text), ones(integers), { updateBits: 10 });
      expect(integers).toEqual(copies);
    }
  });

  it('Bulyan that selects an update twice and never trims: ours selects n - 2f, each once, and trims', () => {
    for (const name of ['gauss_a__Bulyan__original', 'outliers__Bulyan__original']) {
      const vector = namedCase(name);
      const f = vector.params.f as number;
      const rows = vector.input;
      const pipeline = compilePipeline(specOf(vector), rows.length, true);
      const plan = planPipeline(pipeline, () => gramFloats(rows), ones(rows), floatScalar, { updateBits: 0, seed: 0 });
      if (plan.kind !== 'reduce' || plan.mixing === null) throw new Error('Bulyan selects and reduces');
      const order = plan.mixing.entries.map((row) => row.indexOf(1));
      expect(order).toEqual(vector.params.selected_in_order);
      expect(new Set(order).size).toBe(rows.length - 2 * f);
      expect(plan.rule.denominator(order.length, plan.f)).toBe(rows.length - 4 * f);
    }
  });
});
