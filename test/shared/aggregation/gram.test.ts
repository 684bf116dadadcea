import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendAggregate, gramFloats, gramMatrix } from '../../../shared/aggregation/gram.ts';

const MOST = 8191 * 256;

function plain(rows: readonly ArrayLike<number>[]): bigint[][] {
  return rows.map((a) =>
    rows.map((b) => Array.from(a).reduce((sum, x, at) => sum + BigInt(x) * BigInt(b[at] as number), 0n)),
  );
}

describe('gramMatrix', () => {
  it('is exact for any updates and aggregate', () => {
    const rows = fc.array(fc.array(fc.integer({ min: -8191, max: 8191 }), { minLength: 9, maxLength: 9 }), {
      minLength: 1,
      maxLength: 6,
    });
    const last = fc.array(fc.integer({ min: -MOST, max: MOST }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(rows, last, (all, aggregate) => {
        const updates = all.map((row) => Int16Array.from(row));
        expect(gramMatrix(updates)).toEqual(plain(all));
        expect(gramMatrix(updates, Int32Array.from(aggregate))).toEqual(plain([...all, aggregate]));
        expect(appendAggregate(gramMatrix(updates), updates, Int32Array.from(aggregate))).toEqual(
          plain([...all, aggregate]),
        );
      }),
    );
  });

  it.each([2047, 2048, 2049, 100_001])('loses nothing to doubles over %i coordinates at the extremes', (dimension) => {
    // Odd products: a sum beyond 2^53 would drop their last bit.
    const up = new Int16Array(dimension).fill(8191);
    const down = new Int16Array(dimension).fill(-8191);
    const aggregate = new Int32Array(dimension).fill(MOST - 1);
    const d = BigInt(dimension);
    const [q, a] = [8191n, BigInt(MOST - 1)];
    expect(gramMatrix([up, down], aggregate)).toEqual([
      [q * q * d, -q * q * d, q * a * d],
      [-q * q * d, q * q * d, -q * a * d],
      [q * a * d, -q * a * d, a * a * d],
    ]);
  });

  it('refuses what it could not sum exactly, and what does not fit together', () => {
    const row = Int16Array.of(1, 2);
    expect(() => gramMatrix([])).toThrow(expect.objectContaining({ code: 'aggregation/empty' }));
    expect(() => gramMatrix([row, Int16Array.of(1)])).toThrow(
      expect.objectContaining({ code: 'aggregation/mixed-lengths', data: expect.objectContaining({ row: 1 }) }),
    );
    expect(() => gramMatrix([row], Int32Array.of(1))).toThrow(
      expect.objectContaining({ code: 'aggregation/mixed-lengths' }),
    );
    for (const value of [8192, -8192]) {
      expect(() => gramMatrix([row, Int16Array.of(0, value)])).toThrow(
        expect.objectContaining({ code: 'aggregation/out-of-range', data: expect.objectContaining({ coordinate: 1 }) }),
      );
    }
    for (const value of [MOST + 1, -MOST - 1]) {
      expect(() => gramMatrix([row], Int32Array.of(0, value))).toThrow(
        expect.objectContaining({ code: 'aggregation/out-of-range' }),
      );
    }
  });
});

describe('gramFloats', () => {
  it('gives inner products, and refuses to overflow', () => {
    expect(
      gramFloats([
        [0.5, 2],
        [4, -1],
      ]),
    ).toEqual([
      [4.25, 0],
      [0, 17],
    ]);
    expect(() => gramFloats([[1e200]])).toThrow(expect.objectContaining({ code: 'aggregation/non-finite' }));
  });
});
