import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundDiv, roundDivBig } from '../../../shared/fixed-point/round-div.ts';

/** The definition, floor((2a + b) / 2b), by a floor that looks at the remainder's sign. */
function definition(a: bigint, b: bigint): bigint {
  const numerator = 2n * a + b;
  const denominator = 2n * b;
  const remainder = ((numerator % denominator) + denominator) % denominator;
  return (numerator - remainder) / denominator;
}

/** Pairs with 2|a| + b < 2^53, the domain that roundDiv states, drawn towards its edges. */
const exactPairs = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 1000 }),
      fc.maxSafeInteger().map((n) => Math.floor(Math.abs(n) / 4) + 1),
    ),
    fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5000, max: 5000 })),
  )
  .map(([b, raw]): [number, number] => {
    const most = Math.floor((Number.MAX_SAFE_INTEGER - b) / 2);
    return [raw % (most + 1), b];
  });

describe('roundDiv', () => {
  it.each([
    [5, 2, 3],
    [-5, 2, -2],
    [1, 2, 1],
    [-1, 2, 0],
    [-3, 2, -1],
    [0, 7, 0],
    [3, 7, 0],
    [4, 7, 1],
    [-4, 7, -1],
    [-3, 7, 0],
    [4503599627370495, 1, 4503599627370495],
    [-4503599627370495, 1, -4503599627370495],
    [4503599627370494, 3, 1501199875790165],
    [2 ** 41, 2 ** 40, 2],
  ])('roundDiv(%i, %i) is %i', (a, b, expected) => {
    expect(roundDiv(a, b)).toBe(expected);
    expect(roundDivBig(BigInt(a), BigInt(b))).toBe(BigInt(expected));
  });

  it('equals floor((2a + b) / 2b) wherever doubles are exact', () => {
    fc.assert(
      fc.property(exactPairs, ([a, b]) => {
        expect(roundDiv(a, b)).toBe(Number(definition(BigInt(a), BigInt(b))));
      }),
      { numRuns: 5000 },
    );
  });

  it('takes every tie upwards', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.integer({ min: 1, max: 2 ** 20 }), (k, half) => {
        // (2k + 1) * half / (2 * half) lies exactly between k and k + 1.
        expect(roundDiv((2 * k + 1) * half, 2 * half)).toBe(k + 1);
      }),
    );
  });

  it('leaves whole multiples as they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.integer({ min: 1, max: 2 ** 20 }), (k, b) => {
        expect(roundDiv(k * b, b)).toBe(k);
      }),
    );
  });
});

describe('roundDivBig', () => {
  it('equals the definition at any width', () => {
    fc.assert(
      fc.property(fc.bigInt(-(1n << 200n), 1n << 200n), fc.bigInt(1n, 1n << 120n), (a, b) => {
        expect(roundDivBig(a, b)).toBe(definition(a, b));
      }),
      { numRuns: 2000 },
    );
  });
});
