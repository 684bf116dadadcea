import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { filterBySpectrum, type StartOf, startFromFarthest } from '../../../shared/aggregation/caf-filter.ts';
import { gramFloats } from '../../../shared/aggregation/gram.ts';
import { scaledGram } from '../../../shared/aggregation/real-gram.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { floatScalar } from '../../../shared/aggregation/scalar.ts';
import { createRng } from '../../../shared/rng.ts';
import { dot, type Vectors } from './definitions.ts';
import { expectClose, namedCase, vectorCases } from './vector-cases.ts';

function weightedMeanOf(rows: Vectors, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  return (rows[0] as readonly number[]).map(
    (_, at) => rows.reduce((total, row, i) => total + (weights[i] as number) * (row[at] as number), 0) / sum,
  );
}

/** Starts from recorded vectors, as their projections on the differences from the weighted mean. */
function recordedStarts(rows: Vectors, starts: Vectors): StartOf {
  return (_, weights, step) => {
    const start = starts[step];
    if (start === undefined) throw new Error(`the library took ${starts.length} steps, ours goes on`);
    const mean = weightedMeanOf(rows, weights);
    const length = Math.sqrt(dot(start, start));
    return rows.map((row) => (dot(row, start) - dot(mean, start)) / length);
  };
}

function weigh(rows: Vectors, f: number, iterations: number, startOf: StartOf): number[] {
  const task = { gram: gramFloats(rows), f, params: {}, scalar: floatScalar, unit: 1, reference: false };
  return filterBySpectrum(scaledGram(task), f, iterations, startOf);
}

describe('CAF', () => {
  const ended = vectorCases.filter(
    ({ rule, error, output }) => rule === 'CAF' && error === undefined && output !== null,
  );

  it('has the library’s outputs where that ended', () => {
    expect(ended.map(({ name }) => name)).toHaveLength(7);
  });

  for (const { name, input, params, output } of ended) {
    it(`${name}, from the recorded vectors`, () => {
      const startOf = recordedStarts(input, params.random_starts as Vectors);
      const weights = weigh(input, params.f as number, 1, startOf);
      expectClose(weightedMeanOf(input, weights), output as readonly number[]);
    });
  }

  it.each(['huge1e30__CAF', 'outliers__CAF'])('%s: ends where the library did not, among the honest', (name) => {
    const { input, params, error } = namedCase(name);
    expect(error).toContain('did not finish');
    let steps = 0;
    const counting: StartOf = (centred, weights, step) => {
      steps += 1;
      return startFromFarthest(centred, weights, step);
    };
    const weights = weigh(input, params.f as number, 20, counting);
    expect(steps).toBeLessThanOrEqual(2 * input.length);
    // The least of f + 1 largest norms is an honest one's, or no longer than one.
    const norms = input.map((row) => Math.sqrt(dot(row, row))).sort((a, b) => b - a);
    const mean = weightedMeanOf(input, weights);
    expect(Math.sqrt(dot(mean, mean))).toBeLessThanOrEqual(norms[params.f as number] as number);
  });

  it('is the mean with f = 0, and with nothing to tell updates apart', () => {
    const { input } = namedCase('fzero__CAF');
    expectClose(aggregateFloats(input, parseRuleSpec('CAF')).output, weightedMeanOf(input, [1, 1, 1, 1, 1]));
    const equal = Array.from({ length: 5 }, () => [0.25, -3]);
    expect([...aggregateFloats(equal, parseRuleSpec('CAF:f=2')).output]).toEqual([0.25, -3]);
  });

  it('ends within 2n steps for any number of outliers of any size', () => {
    const rng = createRng(7);
    for (let trial = 0; trial < 200; trial += 1) {
      const n = 3 + rng.below(12);
      const f = rng.below(Math.ceil(n / 2));
      const rows = Array.from({ length: n }, () => {
        const size = 10 ** (rng.below(24) - 8);
        return Array.from({ length: 1 + (trial % 4) }, () => (rng.nextFloat() - 0.5) * size);
      });
      let steps = 0;
      const weights = weigh(rows, f, 1 + rng.below(3), (centred, current, step) => {
        steps += 1;
        return startFromFarthest(centred, current, step);
      });
      expect(steps).toBeLessThanOrEqual(2 * n);
      expect(weights.some((weight) => weight > 0)).toBe(true);
      expect(weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true);
    }
  });
});
