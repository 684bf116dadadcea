import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { splitPot } from '../../../shared/aggregation/rewards.ts';
import { scores } from '../../../shared/aggregation/scores.ts';
import { rounds } from './arbitraries.ts';

describe('scores', () => {
  it('clamp the inner product with the aggregate, in squared aggregate units', () => {
    // The aggregate is (10, 0) in update units: 2 <a, a> = 200 squared update units.
    const rows = [
      Int16Array.of(10, 3),
      Int16Array.of(7, 5),
      Int16Array.of(-1, 9),
      Int16Array.of(500, 0),
      Int16Array.of(10, 3),
    ];
    const gram = gramMatrix(rows, Int32Array.of(2560, 0));
    const active = [true, true, true, true, false];
    expect(scores(gram, active)).toEqual([100n, 70n, 0n, 200n, 0n].map((squared) => squared * 65_536n));
  });

  it('are what the definition says, as a fraction of rationals', () => {
    fc.assert(
      fc.property(rounds(60, 6), ({ rows, spec, samples }) => {
        const { aggregate, active } = aggregateIntegers(rows, spec, samples);
        const found = scores(gramMatrix(rows, aggregate), active);
        // Small enough for doubles, in update units.
        const a = Array.from(aggregate, (value) => value / 256);
        const most = 2 * a.reduce((sum, value) => sum + value * value, 0);
        for (const [i, row] of rows.entries()) {
          const along = a.reduce((sum, value, at) => sum + value * (row[at] as number), 0);
          const expected = active[i] ? Math.min(Math.max(along, 0), most) : 0;
          expect(Number(found[i]) / 65_536).toBe(expected);
        }
      }),
    );
  });

  it('need a matrix of one row more than there are updates', () => {
    const refusal = expect.objectContaining({ code: 'aggregation/mixed-lengths' });
    expect(() => scores([[1n]], [true])).toThrow(refusal);
    expect(() => scores([[1n, 1n], [1n]], [true])).toThrow(refusal);
  });
});

describe('splitPot', () => {
  it('spends the pot to the last unit on who scored, or keeps it', () => {
    expect(splitPot(100n, [1n, 1n, 0n, 1n])).toEqual([34n, 33n, 0n, 33n]);
    expect(splitPot(100n, [0n, 0n])).toEqual([0n, 0n]);
  });
});
