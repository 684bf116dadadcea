import { describe, expect, it } from 'vitest';
import { gramFloats, gramMatrix } from '../../../shared/aggregation/gram.ts';
import { exactScalar, floatScalar } from '../../../shared/aggregation/scalar.ts';
import { rankAscending, squaredDistances } from '../../../shared/aggregation/squared-distances.ts';

describe('squaredDistances', () => {
  it('follow from the inner products, in either domain', () => {
    const rows = [
      [3, 4],
      [0, 0],
      [-1, 1],
    ];
    const expected = [
      [0, 25, 25],
      [25, 0, 2],
      [25, 2, 0],
    ];
    expect(squaredDistances(gramFloats(rows), floatScalar)).toEqual(expected);
    const exact = squaredDistances(gramMatrix(rows.map((row) => Int16Array.from(row))), exactScalar);
    expect(exact).toEqual(expected.map((row) => row.map(BigInt)));
  });

  it('are never negative, though rounded inner products can make them seem so', () => {
    const inner = 1 + Number.EPSILON;
    const gram = [
      [1, inner],
      [inner, 1],
    ];
    expect(squaredDistances(gram, floatScalar)).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('rankAscending', () => {
  it('orders by value, equal ones by position', () => {
    expect(rankAscending([2n, 1n, 2n, 1n], exactScalar.compare)).toEqual([1, 3, 0, 2]);
    expect(rankAscending([], exactScalar.compare)).toEqual([]);
  });
});
