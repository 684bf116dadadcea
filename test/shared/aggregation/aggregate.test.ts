import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggregateOptions, aggregateWith } from '../../../shared/aggregation/aggregate.ts';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { chooseUpdateBits, encodeFloats } from '../../../shared/aggregation/encode-floats.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { everyRule, iterativeRules, largestF } from './arbitraries.ts';
import { namedCase } from './vector-cases.ts';

const run = (updates: readonly ArrayLike<number>[], options: AggregateOptions) =>
  aggregateWith(createScalarEngine(), updates, options);

const outlying = namedCase('outliers__Krum').input;

describe('aggregateWith', () => {
  it('is the integer path on the encoded updates, for every rule', async () => {
    const pres = [[], ['NNM'], ['ARC', 'NNM'], ['Bucketing']];
    for (const [i, input] of [...everyRule, ...iterativeRules].entries()) {
      const pre = pres[i % pres.length] as string[];
      const f = Math.min(2, largestF(input.rule, outlying.length));
      const options = { ...input, pre, f, updateBits: 'round', seed: 3 } as const;
      const { output, weights, step, saturated } = await run(outlying, options);
      const updateBits = -Math.log2(step);
      const rows = outlying.map((row) => Int16Array.from({ length: row.length }));
      const cut = outlying.reduce((sum, row, r) => sum + encodeFloats(row, updateBits, rows[r] as Int16Array), 0);
      const samples = rows.map(() => 1);
      const expected = aggregateIntegers(rows, parseRuleSpec(options), samples, { updateBits, seed: 3 });
      const unit = input.rule === 'SignMajority' ? 1 : step;
      expect([...output]).toEqual(Array.from(expected.aggregate, (value) => (value * unit) / 256));
      expect(weights).toEqual(expected.weights === null ? null : expected.weights.map((weight) => weight / 2 ** 30));
      expect(saturated).toBe(cut);
    }
  });

  it('gives floats of any magnitude back to the precision of 14 bits', async () => {
    const sizes = fc.integer({ min: -100, max: 30 });
    const mantissas = fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }), {
      minLength: 3,
      maxLength: 7,
    });
    await fc.assert(
      fc.asyncProperty(sizes, mantissas, async (size, shape) => {
        const rows = shape.map((row) => row.map((value) => value * 10 ** size));
        const { output, step, saturated } = await run(rows, { rule: 'TrMean', f: 1 });
        const wanted = aggregateFloats(rows, parseRuleSpec('TrMean:f=1')).output;
        const largest = Math.max(...rows.flat().map(Math.abs));
        expect(saturated).toBe(0);
        // What is nearer zero than the finest scale reaches is zero to it.
        fc.pre(largest > 1e-115);
        expect(step).toBeLessThanOrEqual(largest / 4095);
        for (const [at, value] of output.entries()) {
          expect(Math.abs(value - (wanted[at] as number))).toBeLessThanOrEqual(step * 0.51);
        }
      }),
    );
  });

  it('changes neither updates nor reference, and says what it understood', async () => {
    const updates = outlying.map((row) => Float32Array.from(row));
    const copies = updates.map((row) => row.slice());
    const reference = copies[0]?.slice() as Float32Array;
    const { spec } = await run(updates, {
      rule: 'fl-trust',
      pre: ['clipping'],
      f: 3,
      params: { 'Clipping.c': '2' },
      reference,
    });
    expect(spec).toEqual({ rule: 'FLTrust', pre: ['Clipping'], f: 3, params: { c: 2, root: 0 } });
    expect(updates).toEqual(copies);
    expect(reference).toEqual(copies[0]);
  });

  it('takes lengths among the parameters as real, whatever the scale', async () => {
    const rows = [
      [3, 4],
      [0.3, 0.4],
      [30, 40],
    ];
    for (const updateBits of ['auto', 7, 5] as const) {
      const { output } = await run(rows, { rule: 'CenteredClipping', params: { tau: 5 }, updateBits });
      // (3, 4) as it is, a tenth of it, and itself once more of ten times it.
      expect(output[0]).toBeCloseTo((3 + 0.3 + 3) / 3, 1);
      expect(output[1]).toBeCloseTo((4 + 0.4 + 4) / 3, 1);
    }
  });

  it('names the update and coordinate that are no number, and refuses what makes no sense', async () => {
    const codes: [readonly ArrayLike<number>[], AggregateOptions, string][] = [
      [
        [
          [1, 2],
          [3, Number.NaN],
        ],
        { rule: 'Median' },
        'aggregation/non-finite',
      ],
      [[[1, 2]], { rule: 'FLTrust', reference: [Number.POSITIVE_INFINITY, 1] }, 'aggregation/non-finite'],
      [[], { rule: 'Median' }, 'aggregation/empty'],
      [[[]], { rule: 'Median' }, 'aggregation/empty'],
      [[[1], [1, 2]], { rule: 'Median' }, 'aggregation/mixed-lengths'],
      [[[1]], { rule: 'FLTrust', reference: [1, 2] }, 'aggregation/mixed-lengths'],
      [[[1]], { rule: 'Media' }, 'rule/unknown'],
      [[[1]], { rule: 'Median', pre: ['Meamed'] }, 'rule/unknown'],
      [[[1]], { rule: 'Median', f: 1 }, 'rule/too-many-faulty'],
      [[[1]], { rule: 'Median', params: { nu: 1 } }, 'rule/unknown-parameter'],
      [[[1]], { rule: 'Median', reference: [1] }, 'rule/bad-parameter'],
      [[[1]], { rule: 'Median', updateBits: 0.5 }, 'aggregation/bad-update-bits'],
      [[[1]], { rule: 'Median', updateBits: 401 }, 'aggregation/bad-update-bits'],
      [[[1], [2]], { rule: 'mean', samples: [1] }, 'aggregation/bad-samples'],
    ];
    for (const [updates, options, code] of codes) {
      await expect(run(updates, options), code).rejects.toThrow(expect.objectContaining({ code }));
    }
    await expect(
      run(
        [
          [1, 2],
          [3, Number.NaN],
        ],
        { rule: 'Median' },
      ),
    ).rejects.toThrow(/update 1 has NaN at coordinate 1/);
  });
});

describe('chooseUpdateBits', () => {
  it('is as fine as nothing is cut, or as a plan of a round would be', () => {
    expect(chooseUpdateBits('auto', [1, 1, 8191])).toBe(0);
    expect(chooseUpdateBits('auto', [1, 1, 8192])).toBe(-1);
    expect(chooseUpdateBits('auto', [1, 1, 4095.5])).toBe(1);
    expect(chooseUpdateBits('round', [1, 1, 8192])).toBe(11);
    expect(chooseUpdateBits('round', [0, 0, 8192])).toBe(0);
    expect(chooseUpdateBits('auto', [])).toBe(0);
    expect(chooseUpdateBits('auto', [1e-200])).toBe(400);
    expect(chooseUpdateBits(-7, [1])).toBe(-7);
  });
});

describe('encodeFloats', () => {
  it('rounds to nearest, halves upwards, and counts what it cuts', () => {
    const into = new Int16Array(8);
    const cut = encodeFloats([0.5, -0.5, 1.49, -1.51, 8191.4, 8191.5, -8191.5, -8191.51], 0, into);
    expect([...into]).toEqual([1, 0, 1, -2, 8191, 8191, -8191, -8191]);
    expect(cut).toBe(2);
  });
});
