import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { createRng } from '../../../shared/rng.ts';
import { everyRule, largestF, rounds } from './arbitraries.ts';

/** Rules that see where zero is: no shift of all updates leaves their choice alone. */
const anchored = ['SignMajority', 'CGE'];
const shiftable = everyRule.filter(({ rule }) => !anchored.includes(rule));

describe('every exact rule, with and without mixing', () => {
  it('moves with its updates: adding c to all adds 256 c to the aggregate, exactly', () => {
    const shifts = fc.array(fc.integer({ min: -4000, max: 4000 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(rounds(4000, 12, shiftable), shifts, ({ rows, spec, samples }, shift) => {
        const moved = rows.map((row) => row.map((value, at) => value + (shift[at] as number)));
        const before = aggregateIntegers(rows, spec, samples);
        const after = aggregateIntegers(moved, spec, samples);
        expect(after.weights).toEqual(before.weights);
        expect([...after.aggregate]).toEqual([...before.aggregate].map((a, at) => a + 256 * (shift[at] as number)));
      }),
      { numRuns: 500 },
    );
  });

  it('gives back what all agree on', () => {
    fc.assert(
      fc.property(rounds(8191), ({ rows, spec, samples }) => {
        const one = rows[0] as Int16Array;
        const { aggregate } = aggregateIntegers(
          rows.map(() => one),
          spec,
          samples,
        );
        const agreed = [...one].map((value) => (spec.rule === 'SignMajority' ? Math.sign(value) : value));
        expect([...aggregate]).toEqual(agreed.map((value) => 256 * value));
      }),
    );
  });

  it('stays between the smallest and the largest value of each coordinate', () => {
    fc.assert(
      fc.property(rounds(8191), ({ rows, spec, samples }) => {
        fc.pre(spec.rule !== 'SignMajority');
        for (const [at, value] of aggregateIntegers(rows, spec, samples).aggregate.entries()) {
          const column = rows.map((row) => row[at] as number);
          expect(value).toBeGreaterThanOrEqual(256 * Math.min(...column));
          expect(value).toBeLessThanOrEqual(256 * Math.max(...column));
        }
      }),
    );
  });

  it('does not depend on the order of the updates, ties aside', () => {
    fc.assert(
      fc.property(rounds(8191), fc.integer({ min: 0, max: 2 ** 32 - 1 }), ({ rows, spec, samples }, seed) => {
        // Two updates with one neighbour each, or two equal mixtures, have equal scores however they are drawn.
        const { rule, pre, f, params } = spec;
        const oneNeighbour = params['neighbours'] === 'original' && rows.length - f === 3;
        fc.pre(!rule.endsWith('Krum') || (pre.length === 0 && !oneNeighbour));
        // One update is trusted by its place; Bulyan ends among so few that sums of no or one distance are equal; several
        // sets can have one diameter.
        fc.pre(!['MoNNA', 'Bulyan', 'MDA'].includes(rule));
        // Drawn rather than shrunk, so that no two distances are equal; whole numbers, so that sums are exact.
        const rng = createRng(seed);
        const drawn = rows.map(() => Array.from({ length: 8 }, () => rng.below(16383) - 8191));
        const keys = rows.map(() => rng.nextUint32());
        const order = rows.map((_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number));
        const before = aggregateFloats(drawn, spec, { samples });
        const after = aggregateFloats(
          order.map((i) => drawn[i] as number[]),
          spec,
          { samples: order.map((i) => samples[i] as number) },
        );
        expect(after.output).toEqual(before.output);
        expect(after.weights).toEqual(before.weights && order.map((i) => before.weights?.[i]));
      }),
      { numRuns: 300 },
    );
  });

  it('has weights that sum to 2^30 exactly', () => {
    fc.assert(
      fc.property(rounds(50), ({ rows, spec, samples }) => {
        const { weights, active } = aggregateIntegers(rows, spec, samples);
        if (weights === null) return;
        expect(weights.reduce((a, b) => a + b, 0)).toBe(2 ** 30);
        expect(active).toEqual(weights.map((weight) => weight > 0));
      }),
    );
  });
});

describe('robustness', () => {
  it('of Median and TrMean: f liars leave every coordinate within the honest range', () => {
    const cases = fc
      .record({ rule: fc.constantFrom('Median', 'TrMean'), n: fc.integer({ min: 1, max: 12 }) })
      .chain(({ rule, n }) =>
        fc.record({
          rule: fc.constant(rule),
          f: fc.integer({ min: 0, max: largestF(rule, n) }),
          values: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: n, maxLength: n }),
          lie: fc.constantFrom(-8191, 8191),
        }),
      );
    fc.assert(
      fc.property(cases, ({ rule, f, values, lie }) => {
        const rows = values.map((value, i) => Int16Array.of(i < f ? lie : value));
        const honest = values.slice(f);
        const value = aggregateIntegers(
          rows,
          parseRuleSpec({ rule, f }),
          rows.map(() => 1),
        ).aggregate[0] as number;
        expect(value).toBeGreaterThanOrEqual(256 * Math.min(...honest));
        expect(value).toBeLessThanOrEqual(256 * Math.max(...honest));
      }),
      { numRuns: 300 },
    );
  });

  it('of Krum and MultiKrum: f far-off liars get no weight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 12 }), fc.constantFrom('Krum', 'MultiKrum'), fc.nat(), (n, rule, seed) => {
        const rng = createRng(seed);
        const f = largestF(rule, n);
        const rows = Array.from({ length: n }, (_, i) =>
          Int16Array.from({ length: 8 }, () => (i % 2 === 0 && i < 2 * f ? 8000 - i * 300 : rng.below(101) - 50)),
        );
        const { active } = aggregateIntegers(
          rows,
          parseRuleSpec({ rule, f }),
          rows.map(() => 1),
        );
        for (const [i, counts] of active.entries()) if (i % 2 === 0 && i < 2 * f) expect(counts).toBe(false);
      }),
    );
  });

  it('of the weighted mean: none, one liar moves it', () => {
    const rows = [1, 1, 1, 8191].map((value) => Int16Array.of(value));
    const { aggregate } = aggregateIntegers(rows, parseRuleSpec('mean'), [1, 1, 1, 1]);
    expect(aggregate[0]).toBe(2048.5 * 256);
  });
});

describe('nearest-neighbour mixing with f = 0', () => {
  it('makes every rule the plain mean', () => {
    fc.assert(
      fc.property(rounds(8191), ({ rows, spec }) => {
        fc.pre(spec.rule !== 'SignMajority');
        const equal = rows.map(() => 1);
        const { output } = aggregateFloats(
          rows.map((row) => Float64Array.from(row)),
          { ...spec, pre: ['NNM'], f: 0 },
          { samples: equal, enforceBound: false },
        );
        for (const [at, value] of output.entries()) {
          const mean = rows.reduce((sum, row) => sum + (row[at] as number), 0) / rows.length;
          expect(value).toBeCloseTo(mean, 9);
        }
      }),
    );
  });
});
