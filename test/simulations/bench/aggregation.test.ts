import { afterAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { benchAggregation } from '../../../simulations/bench/aggregation.ts';
import { updateSource } from '../../../simulations/bench/aggregation-input.ts';
import { aggregationReport } from '../../../simulations/bench/aggregation-report.ts';
import { benchMemory } from '../../../simulations/bench/memory.ts';

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

describe('bench aggregation', () => {
  test('measures every rule that takes so many faulty updates, and says which do not', async () => {
    const said: string[] = [];
    const options = { n: 8, d: 1000, f: 2, repeats: 1, curve: false };
    const { document, text } = await benchAggregation(engine, options, (line) => said.push(line));
    const rules = document['rules'] as { name: string; family: string; medianMs: number }[];
    expect(document).toMatchObject({ n: 8, d: 1000, f: 2, threads: 1 });
    expect(rules.map(({ name, family }) => `${name} ${family}`)).toEqual(
      expect.arrayContaining(['Gram gram', 'Average coordinate', 'NNM+TrMean coordinate', 'NNM+GeometricMedian gram']),
    );
    // 4f + 3 <= n does not hold.
    expect(rules.map(({ name }) => name)).not.toContain('Bulyan');
    expect(said).toContain('Bulyan is left out: it refuses n = 8 with f = 2');
    expect(text).toContain('NNM+TrMean');
  });

  test('compares with reading once, and gives the curve by value', () => {
    const rule = { name: 'TrMean', family: 'coordinate', medianMs: 20, minMs: 18, maxMs: 30 };
    const times = { n: 10, d: 1e6, f: 2, threads: 2, readOnceMs: 8, rules: [rule] };
    const curve = [{ name: 'TrMean', n: 10, d: 1e6, f: 2, medianMs: 20 }];
    const { text, document } = aggregationReport(times, curve);
    expect(text).toMatch(/TrMean +coordinate +20\.0 ms +18\.0 ms +30\.0 ms +2\.50x +0\.50 G/);
    expect(text).toMatch(/TrMean +10 +1000000 +20\.0 ms +2\.000/);
    expect(document).toEqual({ ...times, curve });
  });
});

test('bench memory aggregates from files and reports the largest resident memory', async () => {
  const { document } = await benchMemory(engine, { n: 3, d: 2000 }, () => {});
  expect(document).toMatchObject({ n: 3, d: 2000, bytes: 12_000 });
  expect(document['peakBytes']).toBeGreaterThanOrEqual(document['beforeBytes'] as number);
});

test('made updates are the same however they are cut, and the faulty go the other way', () => {
  const source = updateSource(5, 1, 7);
  const whole = (row: number): Int16Array => {
    const values = new Int16Array(4000);
    source.fill(row, 0, values);
    return values;
  };
  const pieces = new Int16Array(4000);
  for (const [from, to] of [
    [0, 1000],
    [1000, 1001],
    [1001, 4000],
  ] as const) {
    source.fill(2, from, pieces.subarray(from, to));
  }
  expect(pieces).toEqual(whole(2));
  const along = (a: Int16Array, b: Int16Array): number =>
    a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
  expect(along(whole(0), whole(1))).toBeGreaterThan(0);
  expect(along(whole(0), whole(4))).toBeLessThan(0);
});
