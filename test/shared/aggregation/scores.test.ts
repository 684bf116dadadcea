import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { splitPot } from '../../../shared/aggregation/rewards.ts';
import { SCORE_METHODS, scores } from '../../../shared/aggregation/scores.ts';
import { rounds } from './arbitraries.ts';

describe('scores by alignment', () => {
  it('clamp the inner product with the aggregate, in squared aggregate units, and cut off who is far away', () => {
    // The aggregate is (10, 0) in update units: 2 <a, a> = 200 squared update units.
    const rows = [
      Int16Array.of(10, 3),
      Int16Array.of(7, 5),
      Int16Array.of(-1, 9),
      Int16Array.of(21, 0),
      Int16Array.of(500, 0),
      Int16Array.of(10, 3),
    ];
    const gram = gramMatrix(rows, Int32Array.of(2560, 0));
    const active = [true, true, true, true, true, false];
    expect(scores(gram, active, 'alignment')).toEqual(
      [100n, 70n, 0n, 200n, 0n, 0n].map((squared) => squared * 65_536n),
    );
  });

  it('are what the definition says, as a fraction of rationals', () => {
    fc.assert(
      fc.property(rounds(60, 6), ({ rows, spec, samples }) => {
        const { aggregate, active } = aggregateIntegers(rows, spec, samples);
        const found = scores(gramMatrix(rows, aggregate), active, 'alignment');
        // Small enough for doubles, in update units.
        const a = Array.from(aggregate, (value) => value / 256);
        const most = 2 * a.reduce((sum, value) => sum + value * value, 0);
        const distances = rows.map((row) => a.reduce((sum, value, at) => sum + (value - (row[at] as number)) ** 2, 0));
        const near = distances.filter((_, i) => active[i]).sort((x, y) => x - y);
        const farthest = 4 * (near[Math.floor((near.length - 1) / 2)] as number);
        for (const [i, row] of rows.entries()) {
          const along = a.reduce((sum, value, at) => sum + value * (row[at] as number), 0);
          const counts = active[i] && (distances[i] as number) <= farthest;
          const expected = counts ? Math.min(Math.max(along, 0), most) : 0;
          expect(Number(found[i]) / 65_536).toBe(expected);
        }
      }),
    );
  });

  it('pay nothing to an inner-product manipulation that a trimmed mean has turned around to', () => {
    // The attacker sends -10 h with h = (3, 3, 3, 3): each coordinate loses its highest honest value to the trimming.
    const honest = [
      [9, 1, -8, -7],
      [-8, 9, 1, -7],
      [-7, -8, 9, 1],
      [1, -8, -7, 9],
      [-6, -6, -6, -6],
    ];
    const rows = [...honest, [-30, -30, -30, -30]].map((row) => Int16Array.from(row));
    const spec = { rule: 'TrMean', pre: [], f: 1, params: {} };
    const { aggregate, active } = aggregateIntegers(
      rows,
      spec,
      rows.map(() => 1),
    );
    const gram = gramMatrix(rows, aggregate);
    expect(gram[5]?.[6]).toBeGreaterThan(0n);
    expect(scores(gram, active, 'alignment')[5]).toBe(0n);
  });

  it.each(SCORE_METHODS)('need a matrix of one row more than there are updates: by %s', (method) => {
    const refusal = expect.objectContaining({ code: 'aggregation/mixed-lengths' });
    expect(() => scores([[1n]], [true], method)).toThrow(refusal);
    expect(() => scores([[1n, 1n], [1n]], [true], method)).toThrow(refusal);
  });
});

describe('splitPot', () => {
  it('spends the pot to the last unit on who scored, or keeps it', () => {
    expect(splitPot(100n, [1n, 1n, 0n, 1n])).toEqual([34n, 33n, 0n, 33n]);
    expect(splitPot(100n, [0n, 0n])).toEqual([0n, 0n]);
  });
});
