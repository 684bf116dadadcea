import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { isNearCopy, payCopiesOnce } from '../../../shared/aggregation/near-copies.ts';
import { createRng } from '../../../shared/rng.ts';
import { honest, scored, unshared } from './honest-clients.ts';

const dithered = (row: Int16Array, amplitude: number, seed = 9) => {
  const rng = createRng(seed, 'dither');
  return row.map((value) => value + rng.below(2 * amplitude + 1) - amplitude);
};
/** But for what a square root and a quotient are rounded by. */
const isEqual = (one = 0n, other = 0n): boolean => one - other <= 1n && other - one <= 1n;
const largest = (values: readonly bigint[]): bigint => [...values].sort((a, b) => Number(b - a))[0] ?? 0n;
const first = (rows: readonly Int16Array[]) => rows[0] as Int16Array;

describe('near-copies', () => {
  it.each([
    ['the update itself', (row: Int16Array) => row.slice()],
    ['with every coordinate moved by one unit or none', (row: Int16Array) => dithered(row, 1)],
    ['with noise of a twentieth of its length', (row: Int16Array) => dithered(row, 20)],
    ['at half its length', (row: Int16Array) => row.map((value) => Math.round(value / 2))],
    ['at twice its length', (row: Int16Array) => row.map((value) => 2 * value)],
  ])('are found: %s', (_, copy) => {
    const rows = honest(6);
    expect(isNearCopy(gramMatrix([first(rows), copy(first(rows))]), 0, 1)).toBe(true);
  });

  it.each([
    ['who learnt from the same data in other batches', honest(2)[1] as Int16Array],
    ['who agrees to a cosine of 0.99', dithered(first(honest(1)), 62)],
    ['who says the opposite', first(honest(1)).map((value) => -value)],
    ['who says nothing', new Int16Array(1024)],
  ])('are not seen in one %s', (_, other) => {
    expect(isNearCopy(gramMatrix([first(honest(1)), other]), 0, 1)).toBe(false);
  });

  it('are told by the very sine of 1/16, exactly', () => {
    // <x, y>^2 / (|x|^2 |y|^2) = 255/256 for y = (a, b) with b^2 / (a^2 + b^2) = 1/256, irrational but for its square.
    const gram = (inner: bigint, squared: bigint): bigint[][] => [
      [squared, inner],
      [inner, 256n * 255n],
    ];
    expect(isNearCopy(gram(255n, 1n), 0, 1)).toBe(true);
    expect(isNearCopy(gram(254n, 1n), 0, 1)).toBe(false);
    const large = 10n ** 30n;
    expect(isNearCopy(gram(255n * large, large * large), 0, 1)).toBe(true);
    expect(isNearCopy(gram(255n * large - 1n, large * large), 0, 1)).toBe(false);
  });

  it('of one update are together paid what it is worth, and the others are paid as ever', () => {
    const rows = honest(8);
    for (const copies of [1, 2, 3]) {
      const all = [...rows, ...Array.from({ length: copies }, (_, k) => dithered(first(rows), 1, k))];
      const [found, plain] = [scored(all), unshared(all)];
      const group = [0, ...Array.from({ length: copies }, (_, k) => 8 + k)];
      const together = group.reduce((sum, i) => sum + (found[i] as bigint), 0n);
      const most = largest(group.map((i) => plain[i] as bigint));
      expect(together <= most).toBe(true);
      expect(together > (most * 9n) / 10n).toBe(true);
      for (let i = 1; i < 8; i++) expect(isEqual(found[i], plain[i])).toBe(true);
    }
  });

  it('earn no more by a low address than by a high one', () => {
    const rows = honest(7);
    const low = scored([first(rows), ...rows]);
    const high = scored([...rows, first(rows)]);
    expect(low[0]).toBe(low[1]);
    expect([...low].sort()).toEqual([...high].sort());
  });

  it('are no matter among those who score nothing: an update that nobody pays dilutes nobody', () => {
    const gram = [1, 1, 1, 1].map(() => [1n, 1n, 1n, 1n]);
    expect(payCopiesOnce(gram.slice(), [8n, 0n, 0n, 0n])).toEqual([8n, 0n, 0n, 0n]);
  });

  it('that are more than half of all are agreement, and a loner gains nothing by it', () => {
    const rows = honest(8, 10);
    const loner = first(honest(1, 500));
    const all = [...rows, loner];
    expect(isNearCopy(gramMatrix(rows), 0, 7)).toBe(true);
    const [found, plain] = [scored(all), unshared(all)];
    for (let i = 0; i < 8; i++) expect(isEqual(found[i], plain[i])).toBe(true);
    expect(found[8]).toBe(0n);
  });

  it('never raise anybody, sum to no more than the largest of any group, and follow the order of the rows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.bigInt({ min: 0n, max: 10n ** 20n })), {
          minLength: 1,
          maxLength: 9,
        }),
        fc.nat(),
        (clients, seed) => {
          // Four updates at right angles; whoever sends the same one is a copy.
          const gram = clients.map(([one]) => clients.map(([other]) => (one === other ? 25n : 0n)));
          const before = clients.map(([, score]) => score);
          const found = payCopiesOnce(gram, before);
          for (const [i, score] of found.entries()) expect(score <= (before[i] as bigint)).toBe(true);
          for (const one of [0, 1, 2, 3]) {
            const group = clients.flatMap(([other], i) => (other === one ? [i] : []));
            const paying = group.filter((i) => (before[i] as bigint) > 0n);
            if (2 * paying.length > clients.length) continue;
            const total = paying.reduce((sum, i) => sum + (found[i] as bigint), 0n);
            const most = largest(paying.map((i) => before[i] as bigint));
            expect(total <= most).toBe(true);
          }
          const rng = createRng(seed);
          const order = clients.map((_, i) => ({ i, key: rng.nextUint32() })).sort((a, b) => a.key - b.key);
          const mixed = payCopiesOnce(
            order.map(({ i }) => order.map(({ i: j }) => gram[i]?.[j] as bigint)),
            order.map(({ i }) => before[i] as bigint),
          );
          expect(mixed).toEqual(order.map(({ i }) => found[i]));
        },
      ),
    );
  });
});
