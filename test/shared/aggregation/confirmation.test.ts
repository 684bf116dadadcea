import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { payCopiesOnce } from '../../../shared/aggregation/near-copies.ts';
import { scores } from '../../../shared/aggregation/scores.ts';
import { integerSqrt } from '../../../shared/fixed-point/integer-sqrt.ts';
import { createRng } from '../../../shared/rng.ts';
import { rounds } from './arbitraries.ts';
import { confirmedFloats, honest, scored, trimmed } from './honest-clients.ts';

const mean = (values: readonly bigint[]): number =>
  values.reduce((sum, value) => sum + Number(value), 0) / values.length;

describe('scores by confirmation', () => {
  it('are what the definition says, to the rounding of a square root and a quotient', () => {
    fc.assert(
      fc.property(rounds(60, 6), ({ rows, spec, samples }) => {
        const { aggregate, active } = aggregateIntegers(rows, spec, samples);
        const gram = gramMatrix(rows, aggregate);
        const found = scores(gram, active, 'confirmation');
        const plain = confirmedFloats(gram, active);
        const parts = payCopiesOnce(
          gram,
          plain.map((score) => (score > 0 ? 1_000_000n : 0n)),
        ).map((part) => (part === 0n ? 1 : Math.round(1_000_000 / Number(part))));
        for (const [i, score] of found.entries()) {
          const expected = (plain[i] as number) / (parts[i] as number);
          // The root is rounded down: by a whole unit in its own size, which is the median length.
          const typical = Number(integerSqrt(gram[i]?.[i] as bigint));
          expect(Math.abs(Number(score) - expected)).toBeLessThanOrEqual(1 + (2 * expected) / Math.max(1, typical));
        }
      }),
    );
  });

  it('pay noise next to nothing, where alignment pays it half an honest share', () => {
    const rng = createRng(4);
    // Nearly at right angles, as updates of a model that has learnt most of what there is.
    const rows = honest(8, 1200);
    const noise = Int16Array.from({ length: 1024 }, () => rng.below(2401) - 1200);
    const all = [...rows, noise];
    const active = all.map(() => true);
    const [old, found] = (['alignment', 'confirmation'] as const).map((method) => scores(trimmed(all), active, method));
    const share = (list: readonly bigint[]) => Number(list[8]) / mean(list.slice(0, 8));
    expect(share(old as bigint[])).toBeGreaterThan(0.4);
    expect(share(found as bigint[])).toBeLessThan(0.1);
  });

  it('let no friend vouch for another: two who share their noise earn no more than two strangers', () => {
    const rows = honest(9, 1200);
    const friends = honest(9, 1200);
    const rng = createRng(8);
    // Near enough to confirm each other much more than anybody else does, too far to be copies.
    friends[8] = (rows[0] as Int16Array).map((value) => value + rng.below(401) - 200);
    const [strangers, together] = [scored(rows), scored(friends)];
    expect(Number(together[0]) / mean(together.slice(1, 8))).toBeLessThan(
      1.3 * (Number(strangers[0]) / mean(strangers.slice(1, 8))),
    );
  });

  it('pay twice the length no more, and half the length half', () => {
    const rows = honest(7);
    const base = scored(rows);
    const [doubled, halved] = [2, 0.5].map((factor) => {
      const changed = rows.map((row, i) => (i === 3 ? row.map((value) => Math.round(value * factor)) : row));
      return Number(scored(changed)[3]) / Number(base[3]);
    }) as [number, number];
    expect(doubled).toBeLessThan(1.1);
    expect(halved).toBeGreaterThan(0.4);
    expect(halved).toBeLessThan(0.6);
  });

  it('pay nothing for zeros, for the opposite, and for rows without a part in the aggregate', () => {
    const rows = honest(7);
    const opposite = (rows[0] as Int16Array).map((value) => -value);
    expect(scored([...rows, new Int16Array(1024)])[7]).toBe(0n);
    expect(scored([...rows, opposite])[7]).toBe(0n);
    const gram = trimmed(rows);
    const active = rows.map((_, i) => i !== 2);
    const found = scores(gram, active, 'confirmation');
    expect(found[2]).toBe(0n);
    expect(found.filter((score) => score > 0n).length).toBe(6);
  });

  it('pay nothing to an inner-product manipulation that a trimmed mean has turned around to', () => {
    const rows = [
      [9, 1, -8, -7],
      [-8, 9, 1, -7],
      [-7, -8, 9, 1],
      [1, -8, -7, 9],
      [-6, -6, -6, -6],
      [-30, -30, -30, -30],
    ].map((row) => Int16Array.from(row));
    const gram = trimmed(rows, 1);
    expect(gram[5]?.[6]).toBeGreaterThan(0n);
    expect(scored(rows, 1)[5]).toBe(0n);
  });

  it('pay honest clients with the same data, who drew other batches, like all others', () => {
    // The second client's noise is half the first's: what the same data in other batches has in common.
    const rows = honest(8, 600);
    const half = createRng(5);
    rows[1] = honest(8, 0)[0]?.map((value, at) => {
      const own = ((rows[0] as Int16Array)[at] as number) - value;
      return value + Math.round(own / 2) + half.below(1001) - 500;
    }) as Int16Array;
    const found = scored(rows);
    for (const i of [0, 1]) expect(Number(found[i]) / mean(found.slice(2))).toBeGreaterThan(0.9);
  });

  it('let one who is alone, and two who agree, be paid', () => {
    const [one, other] = honest(2) as [Int16Array, Int16Array];
    const active = (n: number) => Array.from({ length: n }, () => true);
    expect(scores(trimmed([one], 0), active(1), 'confirmation')[0]).toBeGreaterThan(0n);
    const pair = scores(trimmed([one, other], 0), active(2), 'confirmation');
    expect(pair.every((score) => score > 0n)).toBe(true);
  });
});

describe('integerSqrt', () => {
  it('is the largest integer whose square is no more', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 300n }), (value) => {
        const root = integerSqrt(value);
        expect(root * root <= value && (root + 1n) * (root + 1n) > value).toBe(true);
      }),
    );
    for (const root of [0n, 1n, 2n, 3n, 1n << 64n, (1n << 64n) - 1n]) {
      expect(integerSqrt(root * root)).toBe(root);
      if (root > 0n) expect(integerSqrt(root * root - 1n)).toBe(root - 1n);
    }
  });
});
