import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { mixExactGram } from '../../../shared/aggregation/mix-exact-gram.ts';
import { shorten } from '../../../shared/aggregation/mixing.ts';
import { compilePipeline, planPipeline, type RoundFacts } from '../../../shared/aggregation/pipeline.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import type { Mixing } from '../../../shared/aggregation/rule.ts';
import { exactScalar } from '../../../shared/aggregation/scalar.ts';
import { createRng } from '../../../shared/rng.ts';

const ones = (rows: readonly unknown[]): number[] => rows.map(() => 1);

function drawnRows(seed: number, n: number, dimension: number): Int16Array[] {
  const rng = createRng(seed);
  return Array.from({ length: n }, () => Int16Array.from({ length: dimension }, () => rng.below(16383) - 8191));
}

function mixtureOf(text: string, rows: readonly Int16Array[], facts: RoundFacts): Mixing {
  const pipeline = compilePipeline(parseRuleSpec(text), rows.length, true);
  const plan = planPipeline(pipeline, () => gramMatrix(rows), ones(rows), exactScalar, facts);
  if (plan.kind !== 'reduce' || plan.mixing === null) throw new Error(`${text} mixes`);
  return plan.mixing;
}

describe('mixExactGram', () => {
  it('is M G M^T whatever the size of the numbers and the denominator', () => {
    const cases = fc
      .record({
        n: fc.integer({ min: 1, max: 6 }),
        rows: fc.integer({ min: 1, max: 6 }),
        bits: fc.integer({ min: 1, max: 150 }),
        denominator: fc.integer({ min: 1, max: 30 }).chain((log) => fc.integer({ min: 1, max: 2 ** log })),
      })
      .chain(({ n, rows, bits, denominator }) =>
        fc.record({
          denominator: fc.constant(denominator),
          half: fc.array(fc.bigInt({ min: -(1n << BigInt(bits)), max: 1n << BigInt(bits) }), {
            minLength: n * n,
            maxLength: n * n,
          }),
          entries: fc.array(
            fc.array(fc.nat({ max: denominator }), { minLength: n, maxLength: n }).map((parts) => {
              // As mixtures are: a row comes to the denominator at most.
              let left = denominator;
              return parts.map((part) => {
                const taken = Math.min(left, part);
                left -= taken;
                return taken;
              });
            }),
            { minLength: rows, maxLength: rows },
          ),
        }),
      );
    fc.assert(
      fc.property(cases, ({ denominator, half, entries }) => {
        const n = entries[0]?.length as number;
        const gram = Array.from({ length: n }, (_, i) =>
          Array.from({ length: n }, (_value, j) => half[Math.min(i, j) * n + Math.max(i, j)] as bigint),
        );
        const wide = entries.map((row) => row.map(BigInt));
        const expected = wide.map((a) =>
          wide.map((b) =>
            a.reduce((sum, x, i) => b.reduce((total, y, j) => total + x * y * (gram[i]?.[j] as bigint), sum), 0n),
          ),
        );
        expect(mixExactGram(gram, { entries, denominator })).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('Bucketing', () => {
  const rows = drawnRows(1, 11, 4);
  const facts = { updateBits: 0, seed: Uint8Array.from({ length: 32 }, (_, i) => i) };

  it('puts every update in one bucket, each bucket an even mean', () => {
    for (const s of [1, 2, 3, 4, 11, 20]) {
      const { entries, denominator } = mixtureOf(`Bucketing+Median:s=${s}`, rows, facts);
      expect(entries).toHaveLength(Math.ceil(11 / s));
      for (const row of entries) {
        const shares = row.filter((entry) => entry > 0);
        expect(new Set(shares).size).toBe(1);
        expect(row.reduce((a, b) => a + b, 0)).toBe(denominator);
      }
      for (let j = 0; j < 11; j += 1) expect(entries.filter((row) => row[j] !== 0)).toHaveLength(1);
    }
  });

  it('shuffles by the round’s seed alone, and differently for another one', () => {
    const once = mixtureOf('Bucketing+Median:s=3', rows, facts);
    expect(mixtureOf('Bucketing+Median:s=3', drawnRows(2, 11, 7), { ...facts, updateBits: 9 })).toEqual(once);
    expect(mixtureOf('Bucketing+Median:s=3', rows, { ...facts, seed: 1 })).not.toEqual(once);
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed += 1) {
      const { entries } = mixtureOf('Bucketing+Median:s=1', rows.slice(0, 3), { updateBits: 0, seed });
      seen.add(JSON.stringify(entries));
    }
    expect(seen.size).toBe(6);
  });

  it('draws a shuffle of its own for each place in a pipeline', () => {
    const { entries } = mixtureOf('Bucketing+Bucketing+Median:s=1', rows, facts);
    const single = mixtureOf('Bucketing+Median:s=1', rows, facts).entries;
    const once = single.map((row) => row.indexOf(1));
    expect(entries.map((row) => row.indexOf(1))).not.toEqual(once.map((index) => once[index]));
  });

  it('counts the samples of all in a bucket', () => {
    const spec = parseRuleSpec('Bucketing+Average:s=2');
    const samples = [5, 0, 3, 2];
    const { weights } = aggregateIntegers(drawnRows(3, 4, 2), spec, samples, { seed: 4 });
    const { entries } = mixtureOf('Bucketing+Median:s=2', drawnRows(3, 4, 2), { updateBits: 0, seed: 4 });
    for (const [i, weight] of (weights as number[]).entries()) {
      const bucket = entries.find((row) => row[i] !== 0) as readonly number[];
      const inBucket = samples.filter((_, j) => bucket[j] !== 0).reduce((a, b) => a + b, 0);
      expect(weight / 2 ** 30).toBeCloseTo(inBucket / 2 / 10, 8);
    }
  });
});

describe('Clipping and ARC over integers', () => {
  const rows = [Int16Array.of(300, 400), Int16Array.of(30, 40), Int16Array.of(0, 0), Int16Array.of(-3000, 4000)];

  it('shorten to a real length, which the scale of the updates decides', () => {
    const factors = (text: string, updateBits: number) => {
      const { entries, denominator } = mixtureOf(text, rows, { updateBits, seed: 0 });
      return entries.map((row, i) => (row[i] as number) / denominator);
    };
    const near = (found: readonly number[], wanted: readonly number[]) => {
      for (const [i, factor] of found.entries()) expect(factor).toBeCloseTo(wanted[i] as number, 8);
    };
    near(factors('Clipping+Median:c=100', 0), [0.2, 1, 1, 0.02]);
    near(factors('Clipping+Median:c=100', 3), [1, 1, 1, 0.16]);
    // floor(2 * 1 * 3 / 4) = 1 row is cut, to the norm of the next.
    near(factors('ARC+Median:f=1', 0), [1, 1, 1, 0.1]);
    near(factors('ARC+Median:f=1', 9), [1, 1, 1, 0.1]);
    near(factors('ARC+Clipping+Median:f=1,c=250', 0), [0.5, 1, 1, 0.05]);
  });

  it('round factors to the nearest multiple of the grain, halves upwards, and not at all where numbers are real', () => {
    const diagonal = ({ entries }: Mixing) => entries.map((row, i) => row[i]);
    expect(diagonal(shorten([1 / 3, 0.6, 0.625, 1, 0], 4))).toEqual([1, 2, 3, 4, 0]);
    expect(shorten([1 / 3], 4).denominator).toBe(4);
    expect(shorten([1 / 3], null)).toEqual({ entries: [[1 / 3]], denominator: 1 });
  });

  it('never leave a row heavier than it was, and keep every sum exact', () => {
    for (const text of [
      'Clipping+TrMean:f=1,c=7',
      'Clipping+ARC+NNM+TrMean:f=1,c=7',
      'NNM+Clipping+ARC+Clipping+Phocas:f=1',
    ]) {
      const wide = drawnRows(9, 40, 16);
      const { entries, denominator } = mixtureOf(text.replace('f=1', 'f=9'), wide, { updateBits: 13, seed: 0 });
      expect(2 * 256 * 8192 * denominator * (40 - 18)).toBeLessThanOrEqual(2 ** 53);
      for (const row of entries) {
        expect(row.every((entry) => Number.isInteger(entry) && entry >= 0)).toBe(true);
        expect(row.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(denominator);
      }
    }
  });

  it('are refused where no precision would be left', () => {
    const text = `${'Clipping+'.repeat(6)}Median`;
    const refusal = expect.objectContaining({ code: 'aggregation/too-large' });
    expect(() => compilePipeline(parseRuleSpec(text), 5, true)).toThrow(refusal);
  });
});

describe('a reference beside the updates', () => {
  const rows = drawnRows(5, 6, 3);
  const reference = Int16Array.of(100, -200, 300);

  it('is left alone by what mixes the updates, and has no weight among theirs', () => {
    for (const text of [
      'NNM+FLTrust:f=1',
      'Clipping+NNM+CenteredClipping:f=1,c=900,tau=400,L=2',
      'Bucketing+FLTrust:s=2',
    ]) {
      const { weights, active, gram } = aggregateIntegers(rows, parseRuleSpec(text), ones(rows), { reference });
      expect(weights).toHaveLength(6);
      expect(active).toHaveLength(6);
      expect(gram).toBeNull();
    }
  });

  it('moves the outcome', () => {
    const of = (row: Int16Array) =>
      aggregateIntegers(rows, parseRuleSpec('CenteredClipping:tau=10'), ones(rows), { reference: row }).aggregate;
    expect(of(reference)).not.toEqual(of(Int16Array.of(0, 0, 0)));
    // From zero, a reference of zeros is no other centre.
    expect(of(Int16Array.of(0, 0, 0))).toEqual(
      aggregateIntegers(rows, parseRuleSpec('CenteredClipping:tau=10'), ones(rows)).aggregate,
    );
  });

  it('is refused by rules that have no use for it', () => {
    const refusal = expect.objectContaining({ code: 'rule/bad-parameter' });
    for (const rule of ['Krum', 'TrMean', 'Average', 'Bulyan']) {
      expect(() => aggregateIntegers(rows, parseRuleSpec(rule), ones(rows), { reference })).toThrow(refusal);
    }
  });
});

describe('a sum beyond the range of an update', () => {
  it('is cut to it: FLTrust lengthens one coordinate past it', () => {
    const server = Int16Array.from({ length: 16 }, () => 8000);
    const client = Int16Array.from({ length: 16 }, (_, i) => (i === 0 ? 700 : 0));
    const { aggregate, weights } = aggregateIntegers([client], parseRuleSpec('FLTrust'), [1], { reference: server });
    expect((weights as number[])[0]).toBeGreaterThan(40 * 2 ** 30);
    expect([...aggregate]).toEqual([8191 * 256, ...Array.from({ length: 15 }, () => 0)]);
  });
});
