import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { apportion } from '../../../shared/aggregation/apportion.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { parseRuleSpec, type RuleSpec } from '../../../shared/aggregation/registry.ts';
import { roundDivBig } from '../../../shared/fixed-point/round-div.ts';
import { everyRule, largestF, type Round, rounds } from './arbitraries.ts';
import { type TextbookSpec, textbook } from './textbook.ts';

function inTextbookTerms({ rule, pre, f, params }: RuleSpec, n: number): TextbookSpec {
  return {
    rule,
    mixings: pre.length,
    f,
    neighbours: (params['neighbours'] ?? 'byzfl') as TextbookSpec['neighbours'],
    m: params['m'] === undefined || params['m'] === 'n-f' ? n - f : Number(params['m']),
    idx: Number(params['idx'] ?? 0),
  };
}

function expectTextbook({ rows, spec, samples }: Round): void {
  const wide = rows.map((row) => Array.from(row, BigInt));
  const expected = textbook(wide, inTextbookTerms(spec, rows.length), samples.map(BigInt));
  const found = aggregateIntegers(rows, spec, samples);
  if (expected.kind === 'values') {
    const aggregate = expected.numerators.map((sum) => Number(roundDivBig(sum * 256n, expected.denominator)));
    expect([...found.aggregate]).toEqual(aggregate);
    expect(found.weights).toBeNull();
    expect(found.active).toEqual(expected.active);
    return;
  }
  const weights = apportion(expected.shares, 1n << 30n);
  expect(found.weights).toEqual(weights.map(Number));
  expect(found.active).toEqual(weights.map((weight) => weight > 0n));
  const sums = (wide[0] as bigint[]).map((_, at) =>
    wide.reduce((sum, row, i) => sum + (weights[i] as bigint) * (row[at] as bigint), 0n),
  );
  expect([...found.aggregate]).toEqual(sums.map((sum) => Number(roundDivBig(sum, 1n << 22n))));
}

describe('aggregation of integers', () => {
  it('is the definition of every rule, ties by lowest index', () => {
    fc.assert(fc.property(rounds(2), expectTextbook), { numRuns: 500 });
  });

  it('is the definition of every rule at full magnitude', () => {
    fc.assert(fc.property(rounds(8191), expectTextbook), { numRuns: 500 });
  });

  it('stays exact where every update is at the edge of its range', () => {
    const edge = fc.constantFrom(-8191, 8191);
    const edgeCases = ['NNM+TrMean:f=11', 'NNM+Median:f=7', 'NNM+Phocas:f=9', 'TrMean:f=24', 'Meamed:f=20', 'Average'];
    const rows = fc.array(fc.array(edge, { minLength: 5, maxLength: 5 }), { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(rows, fc.constantFrom(...edgeCases), (all, text) => {
        const updates = all.map((row) => Int16Array.from(row));
        expectTextbook({ rows: updates, spec: parseRuleSpec(text), samples: updates.map((_, i) => i + 1) });
      }),
      { numRuns: 20 },
    );
  });

  it('rounds halves upwards, once', () => {
    const of = (...values: number[]) =>
      aggregateIntegers(
        values.map((value) => Int16Array.of(value)),
        parseRuleSpec('TrMean'),
        values.map(() => 1),
      ).aggregate[0];
    // 256 / 512, a half of an aggregate unit, and its negative.
    expect(of(1, ...Array(511).fill(0))).toBe(1);
    expect(of(-1, ...Array(511).fill(0))).toBe(0);
    expect(of(-1, -2, -2)).toBe(-427);
  });

  it('follows the float reference on the dequantized updates to half an aggregate unit', () => {
    fc.assert(
      fc.property(rounds(8191), fc.integer({ min: 0, max: 20 }), ({ rows, spec, samples }, updateBits) => {
        const scale = 2 ** -updateBits;
        const floats = rows.map((row) => Float64Array.from(row, (value) => value * scale));
        const { aggregate, weights } = aggregateIntegers(rows, spec, samples);
        const reference = aggregateFloats(floats, spec, { samples });
        // Signs have no scale: one update unit here, one there.
        const unit = spec.rule === 'SignMajority' ? 1 : scale;
        // Each of n weights is off by less than 2^-30, times 8191 update units of 256 aggregate units each.
        const tolerance = 0.5 + (weights === null ? 0 : rows.length * 2 ** -9) + 1e-6;
        for (const [at, value] of aggregate.entries()) {
          const units = ((reference.output[at] as number) / unit) * 256;
          expect(Math.abs(value - units)).toBeLessThanOrEqual(tolerance);
        }
        for (const [i, weight] of (weights ?? []).entries()) {
          expect(Math.abs(weight / 2 ** 30 - (reference.weights?.[i] as number))).toBeLessThan(2 ** -29);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('hands out the Gram matrix exactly when the pipeline needed one', () => {
    const rows = [1, 2, 3, 5].map((value) => Int16Array.of(value, -value));
    const gramOf = (text: string) => aggregateIntegers(rows, parseRuleSpec(text), [1, 1, 1, 1]).gram;
    expect(gramOf('Average')).toBeNull();
    expect(gramOf('TrMean:f=1')).toBeNull();
    expect(gramOf('Krum')).toEqual(gramMatrix(rows));
    expect(gramOf('NNM+Median:f=1')).toEqual(gramMatrix(rows));
  });

  it('runs every rule at every n = 1 … 12 and every f it bears, and leaves its input alone', () => {
    let runs = 0;
    for (const input of everyRule) {
      for (let n = 1; n <= 12; n += 1) {
        for (let f = 0; f <= largestF(input.rule, n); f += 1) {
          const rows = Array.from({ length: n }, (_, i) => Int16Array.of(i * i - 7 * i, 3 * i, -i));
          const copies = rows.map((row) => row.slice());
          const round = { rows, spec: parseRuleSpec({ ...input, pre: ['NNM'], f }), samples: rows.map(() => 1) };
          expectTextbook(round);
          expect(rows).toEqual(copies);
          runs += 1;
        }
      }
    }
    expect(runs).toBeGreaterThan(300);
  });
});
