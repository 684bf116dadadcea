import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, log } from '../../../simulations/models/elementary.ts';

// Independent truth: series in integers of 160 binary places, exact but for their last few.

const PLACES = 160n;
const ONE = 1n << PLACES;

/** A double as an integer of 160 places; exact for magnitudes of at least 2^-107. */
function toFixed(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n);
  const shift = BigInt(Math.max(exponent, 1) - 1075) + PLACES;
  const magnitude = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

const LN2 = (() => {
  // ln 2 = 2 artanh(1/3)
  let [sum, power] = [0n, ONE / 3n];
  for (let n = 1n; power !== 0n; n += 2n, power /= 9n) sum += power / n;
  return 2n * sum;
})();

/** e^x = value * 2^shift. */
function exactExp(x: number): { value: bigint; shift: number } {
  const fixed = toFixed(x);
  const shift = Math.round(x / Math.LN2);
  const rest = fixed - BigInt(shift) * LN2;
  let [sum, term] = [0n, ONE];
  for (let n = 1n; term !== 0n; n++) {
    sum += term;
    term = (term * rest) / (n * ONE);
  }
  return { value: sum, shift };
}

/** ln x for x = m * 2^shift, 1 <= m < 2. */
function exactLog(x: number): bigint {
  const shift = Math.floor(Math.log2(x));
  const m = toFixed(x / 2 ** shift);
  const ratio = ((m - ONE) * ONE) / (m + ONE);
  let [sum, power] = [0n, ratio];
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (((power * ratio) / ONE) * ratio) / ONE;
  }
  return 2n * sum + BigInt(shift) * LN2;
}

function ulp(x: number): number {
  return 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) - 52, -1074);
}

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('exp', () => {
  it('is within one unit in the last place of the true value', () => {
    fc.assert(
      fc.property(fc.oneof(finite(-700, 700), finite(-1, 1), finite(-40, 1)), (x) => {
        fc.pre(Math.abs(x) > 2 ** -60);
        const { value, shift } = exactExp(x);
        const scaled = exp(x) / 2 ** shift;
        const error = toFixed(scaled) - value;
        expect(error < 0n ? -error : error).toBeLessThanOrEqual(toFixed(ulp(scaled)));
      }),
      { numRuns: 800 },
    );
  });

  it('knows the ends of its range', () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(710)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(-746)).toBe(0);
    expect(exp(-745)).toBe(Number.MIN_VALUE);
    expect(exp(-710) / Math.exp(-710)).toBeCloseTo(1, 12);
    expect(exp(709.7) / Math.exp(709.7)).toBeCloseTo(1, 12);
    expect(exp(Number.NaN)).toBeNaN();
  });
});

describe('log', () => {
  it('is within one unit in the last place of the true value', () => {
    fc.assert(
      fc.property(fc.oneof(finite(1e-300, 1e300), finite(0.5, 2), finite(1e-9, 1)), (x) => {
        const truth = exactLog(x);
        const found = log(x);
        fc.pre(Math.abs(found) > 2 ** -50);
        const error = toFixed(found) - truth;
        expect(error < 0n ? -error : error).toBeLessThanOrEqual(toFixed(ulp(found)));
      }),
      { numRuns: 800 },
    );
  });

  it('knows the ends of its range', () => {
    expect(log(1)).toBe(0);
    expect(log(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(log(-1)).toBeNaN();
    expect(log(Number.NaN)).toBeNaN();
    expect(log(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(log(Number.MIN_VALUE)).toBeCloseTo(-744.4400719213812, 10);
  });

  it('undoes exp', () => {
    fc.assert(
      fc.property(finite(-700, 700), (x) => {
        expect(Math.abs(log(exp(x)) - x)).toBeLessThan(1e-13 + Math.abs(x) * 1e-15);
      }),
    );
  });
});

it('gives the same bits as when it was written', () => {
  const view = new DataView(new ArrayBuffer(8));
  const hex = (x: number): string => {
    view.setFloat64(0, x);
    return view.getBigUint64(0).toString(16);
  };
  expect([exp(-0.1), exp(-3.7), exp(12.34), log(0.1), log(7), log(123456.789)].map(hex)).toMatchInlineSnapshot(`
    [
      "3fecf46d99d52b3a",
      "3f99511fc6871044",
      "410be9af9dcff5f0",
      "c0026bb1bbb55515",
      "3fff2272ae325a57",
      "40277281cad8a844",
    ]
  `);
});
