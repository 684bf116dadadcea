import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { parseRuleSpec, type RuleSpecInput } from '../../../shared/aggregation/registry.ts';
import { createRng } from '../../../shared/rng.ts';
import { clipAround, dncKept, flTrustOf, largestVariance, meanOfRows, type Vectors, weiszfeld } from './definitions.ts';
import { subsets } from './textbook.ts';
import { expectClose, namedCase } from './vector-cases.ts';

/** Updates about a common direction, the first f of them far off it. */
function drawn(seed: number, n: number, dimension: number, f: number): number[][] {
  const rng = createRng(seed);
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: dimension }, (_value, at) => (i < f ? -6 : 1) * (at % 3) + 4 * (rng.nextFloat() - 0.5)),
  );
}

function run(rows: Vectors, spec: RuleSpecInput, reference?: readonly number[]): Float64Array {
  return aggregateFloats(rows, parseRuleSpec(spec), reference ? { reference } : {}).output;
}

const cases = [
  [1, 3, 2, 0],
  [2, 5, 1, 2],
  [3, 9, 20, 3],
  [4, 12, 4, 5],
  [5, 30, 7, 9],
] as const;

describe.each(cases)('seed %i: %i updates of %i coordinates, f = %i', (seed, n, dimension, f) => {
  const rows = drawn(seed, n, dimension, f);

  it('GeometricMedian takes Weiszfeld’s steps', () => {
    expectClose(run(rows, { rule: 'GeometricMedian', f }), weiszfeld(rows, 0.1, 3));
    expectClose(run(rows, { rule: 'GeometricMedian', f, params: { nu: 1e-6, T: 40 } }), weiszfeld(rows, 1e-6, 40));
  });

  it('GeometricMedian stops at a tolerance', () => {
    const stopped = run(rows, { rule: 'GeometricMedian', f, params: { nu: 1e-6, T: 200, tolerance: 0.05 } });
    expectClose(stopped, weiszfeld(rows, 1e-6, 200, 0.05));
    expect([...stopped]).not.toEqual([...run(rows, { rule: 'GeometricMedian', f, params: { nu: 1e-6, T: 200 } })]);
  });

  it('CenteredClipping takes its steps, from zero or from a centre', () => {
    for (const [tau, L] of [
      [100, 1],
      [10, 3],
      [0.5, 5],
    ] as const) {
      const spec = { rule: 'CenteredClipping', f, params: { tau, L } };
      expectClose(run(rows, spec), clipAround(rows, tau, L));
      const centre = rows[0]?.map((value) => value / 3) as number[];
      expectClose(run(rows, spec, centre), clipAround(rows, tau, L, centre));
    }
  });

  it('FLTrust trusts by direction and brings to length, for a row among the updates or beside them', () => {
    const server = rows.at(-1) as number[];
    const clients = rows.slice(0, -1);
    const expected = flTrustOf(clients, server);
    expectClose(run(rows, { rule: 'FLTrust', f, params: { root: n - 1 } }), expected);
    expectClose(run(clients, { rule: 'FLTrust', f: Math.min(f, n - 2) }, server), expected);
  });

  it('DnC leaves out what is farthest out in the main direction', () => {
    const kept = dncKept(rows, f);
    expectClose(run(rows, { rule: 'DnC', f }), meanOfRows(kept.map((i) => rows[i] as number[])));
    if (f < 2) return;
    const fewer = dncKept(rows, Math.floor(f / 2));
    const output = run(rows, { rule: 'DnC', f, params: { filter_frac: 0.5 } });
    expectClose(output, meanOfRows(fewer.map((i) => rows[i] as number[])));
  });

  it.runIf(n <= 12)('SMEA is the best of all sets', () => {
    const sets = subsets(n, n - f).map((set) => set.map((i) => rows[i] as number[]));
    const variances = sets.map(largestVariance);
    const best = sets[variances.indexOf(Math.min(...variances))] as number[][];
    expectClose(run(rows, { rule: 'SMEA', f }), meanOfRows(best));
  });
});

describe('CenteredClipping called again and again', () => {
  it.each(['gauss_a', 'minimal'])('%s: carries its output over as the next centre, as the library does', (inputs) => {
    const { input, output, params } = namedCase(`${inputs}__CenteredClippingSequence`);
    const settings = { L: params['L'] as number, tau: params['tau'] as number };
    let centre: number[] | undefined;
    for (const [call, rows] of (input as unknown as readonly Vectors[]).entries()) {
      const found = run(rows, { rule: 'CenteredClipping', params: settings }, centre);
      expectClose(found, (output as readonly (readonly number[])[])[call] as readonly number[]);
      centre = [...found];
    }
  });
});

describe('rules that clip or lengthen', () => {
  it('weigh less than one update in all where something was cut', () => {
    const rows = [
      [3, 0],
      [0, 400],
    ];
    const { weights } = aggregateFloats(rows, parseRuleSpec('CenteredClipping:tau=10'));
    expect(weights).toEqual([0.5, 0.0125]);
    const clipped = aggregateFloats(rows, parseRuleSpec('Clipping+GeometricMedian:c=3'));
    expect((clipped.weights?.[0] as number) + (clipped.weights?.[1] as number)).toBeLessThan(0.6);
  });

  it('make an update 512 times longer, and no more', () => {
    const server = [1000, 0];
    const weightOf = (length: number) =>
      aggregateFloats([[length, 0]], parseRuleSpec('FLTrust'), { reference: server }).weights?.[0];
    expect(weightOf(2000)).toBe(0.5);
    expect(weightOf(4)).toBe(250);
    expect(weightOf(1)).toBe(512);
  });

  it('answer zero when nobody points the server’s way, or the server nowhere', () => {
    const rows = [
      [-1, 0],
      [0, 5],
    ];
    const of = (reference: number[]) => [...aggregateFloats(rows, parseRuleSpec('FLTrust'), { reference }).output];
    expect(of([1, -1])).toEqual([0, 0]);
    expect(of([0, 0])).toEqual([0, 0]);
  });
});
