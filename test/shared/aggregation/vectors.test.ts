import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { expectClose, namedCase, specOf, type VectorCase, vectorCases } from './vector-cases.ts';

/** Cases not compared to 1e-9, each with its reason. What must hold all the same is tested below, or in the file named. */
const EXCLUDED: Readonly<Record<string, string>> = {
  ties__Meamed:
    'of two values equally far from the median ours is the smaller, the library’s the one first in the list',
  ties__Phocas: 'as ties__Meamed, about the trimmed mean',
  fzero__CAF: 'with f = 0 no step is taken, and the library answers None; ours is the mean (caf.test.ts)',
  huge1e30__CAF: 'the library did not end (caf.test.ts)',
  outliers__CAF: 'the library did not end (caf.test.ts)',
};

function run(vector: VectorCase): Float64Array {
  return aggregateFloats(vector.input, specOf(vector), { enforceBound: false }).output;
}

describe('reference outputs of other libraries', () => {
  const kinds = ['aggregator', 'pipeline'];
  // The library's CAF starts from random vectors: caf.test.ts gives it the recorded ones. One coordinate has one direction.
  const compared = vectorCases.filter(
    ({ name, kind, rule }) => kinds.includes(kind) && !(name in EXCLUDED) && (rule !== 'CAF' || name === 'onedim__CAF'),
  );

  it('are all there, and what is left out is there too', () => {
    const counts = new Map<string, number>();
    for (const { rule } of compared) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({
      Average: 10,
      Median: 10,
      TrMean: 10,
      Meamed: 9,
      Phocas: 6,
      Krum: 24,
      MultiKrum: 17,
      GeometricMedian: 20,
      CenteredClipping: 30,
      MDA: 10,
      SMEA: 6,
      MoNNA: 20,
      CAF: 1,
      CGE: 7,
      FLTrust: 7,
      Bulyan: 2,
      'NNM+Median': 10,
      'NNM+MultiKrum': 10,
      'NNM+TrMean': 10,
      'NNM+GeometricMedian': 10,
      'ARC+NNM+GeometricMedian': 10,
      'Clipping+NNM+TrMean': 10,
    });
    for (const name of Object.keys(EXCLUDED)) expect(namedCase(name).name).toBe(name);
  });

  for (const vector of compared) {
    it(vector.name, () => expectClose(run(vector), vector.output as readonly number[]));
  }
});

describe('reference outputs that a tie between values decides', () => {
  it.each(['Meamed', 'Phocas'])(
    'ties__%s: equal where there is no tie, another choice among the tied elsewhere',
    (rule) => {
      const vector = namedCase(`ties__${rule}`);
      const { input, params } = vector;
      const f = params.f as number;
      const kept = input.length - f;
      const found = run(vector);
      let tied = 0;
      for (const [at, wanted] of (vector.output as readonly number[]).entries()) {
        const sorted = input.map((row) => row[at] as number).sort((a, b) => a - b);
        const n = sorted.length;
        const trimmed = sorted.slice(f, n - f);
        const centre =
          rule === 'Meamed'
            ? ((sorted[n / 2 - 1] as number) + (sorted[n / 2] as number)) / 2
            : trimmed.reduce((sum, value) => sum + value, 0) / trimmed.length;
        const distances = sorted.map((value) => Math.abs(value - centre)).sort((a, b) => a - b);
        const limit = distances[kept - 1] as number;
        const within = sorted.filter((value) => Math.abs(value - centre) < limit);
        const onEdge = sorted.filter((value) => Math.abs(value - centre) === limit);
        const mean = (edge: readonly number[]) => [...within, ...edge].reduce((sum, value) => sum + value, 0) / kept;
        // The smaller ones of the edge, and the larger ones: the least and the most any way of breaking the tie can give.
        const least = mean(onEdge.slice(0, kept - within.length));
        const most = mean(onEdge.slice(onEdge.length - (kept - within.length)));
        if (most > least) tied += 1;
        expect(found[at]).toBeCloseTo(least, 12);
        expect(wanted).toBeGreaterThanOrEqual(least - 1e-12);
        expect(wanted).toBeLessThanOrEqual(most + 1e-12);
      }
      expect(tied).toBeGreaterThan(0);
      expect(tied).toBeLessThan(found.length);
    },
  );
});
