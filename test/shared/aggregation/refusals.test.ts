import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { AggregationError } from '../../../shared/aggregation/aggregation-error.ts';
import { PRE_AGGREGATORS, parseRuleSpec, RULES } from '../../../shared/aggregation/registry.ts';

const pipelines = [
  ...RULES.map(({ name }) => name),
  ...PRE_AGGREGATORS.flatMap(({ name }) => [`${name}+TrMean`, `${name}+Krum`, `${name}+CAF`]),
].map((text) => parseRuleSpec(text));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AggregationError) return error.code;
    throw error;
  }
  return 'none';
}

describe('every rule', () => {
  it.each(pipelines.map((spec) => [[...spec.pre, spec.rule].join('+'), spec] as const))(
    '%s refuses what cannot be aggregated',
    (_, spec) => {
      const ints = (...rows: number[][]) =>
        codeOf(() =>
          aggregateIntegers(
            rows.map((row) => Int16Array.from(row)),
            spec,
            rows.map(() => 1),
          ),
        );
      const floats = (...rows: number[][]) => codeOf(() => aggregateFloats(rows, spec));
      const good = [
        [1, 2],
        [2, 3],
        [3, 5],
        [4, 7],
      ];
      expect(ints(...good)).toBe('none');
      expect(floats(...good)).toBe('none');
      for (const run of [ints, floats]) {
        expect(run()).toBe('aggregation/empty');
        expect(run([], [], [])).toBe('aggregation/empty');
        expect(run(...good, [1])).toBe('aggregation/mixed-lengths');
        expect(run(...good, [1, 2, 3])).toBe('aggregation/mixed-lengths');
      }
      expect(ints(...good, [0, 8192])).toBe('aggregation/out-of-range');
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(floats(...good, [0, bad])).toBe('aggregation/non-finite');
      }
    },
  );

  it('refuses to answer with an overflow', () => {
    const rows = [[1.7e308], [1.7e308], [1.7e308], [1.7e308]];
    for (const spec of pipelines) {
      const signs = spec.rule === 'SignMajority';
      expect(
        codeOf(() => aggregateFloats(rows, spec)),
        spec.rule,
      ).toBe(signs ? 'none' : 'aggregation/non-finite');
    }
  });
});

describe('sample counts', () => {
  const rows = [Int16Array.of(1), Int16Array.of(2)];

  it('must be whole, non-negative, one an update and not all zero for the weighted mean', () => {
    const run = (...samples: number[]) => codeOf(() => aggregateIntegers(rows, parseRuleSpec('mean'), samples));
    expect(run(3, 0)).toBe('none');
    for (const bad of [[1], [1, 1, 1], [1, -1], [1, 0.5], [0, 0], [1, Number.NaN], [1, 2 ** 53]]) {
      expect(run(...bad)).toBe('aggregation/bad-samples');
    }
  });

  it('are not looked at by robust rules', () => {
    expect(codeOf(() => aggregateIntegers(rows, parseRuleSpec('Median'), [0, -5]))).toBe('none');
  });

  it('give an update without samples no weight', () => {
    expect(aggregateIntegers(rows, parseRuleSpec('mean'), [3, 0])).toMatchObject({
      aggregate: Int32Array.of(256),
      weights: [2 ** 30, 0],
      active: [true, false],
    });
  });
});

describe('sums that doubles could not hold', () => {
  it('are refused', () => {
    const rows = Array.from({ length: 16 }, (_, i) => Int16Array.of(i));
    const mixedTimes = (count: number) =>
      codeOf(() =>
        aggregateIntegers(
          rows,
          parseRuleSpec({ rule: 'TrMean', pre: Array(count).fill('NNM') }),
          rows.map(() => 1),
        ),
      );
    expect(mixedTimes(6)).toBe('none');
    expect(mixedTimes(8)).toBe('aggregation/too-large');
  });
});
