import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayoutError, layoutOf } from '../../../shared/fixed-point/layout.ts';
import { decodeModel, encodeModel } from '../../../shared/fixed-point/model.ts';

const layoutFor = (fractionBits: number, size: number) =>
  layoutOf([{ name: 'w', shape: [size], fractionBits, preScaleBits: 0 }]);

/** Nearest integer to value * 2^bits, halves upwards, by exact arithmetic on the double's own bits. */
function nearest(value: number, bits: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const raw = view.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & ((1n << 52n) - 1n);
  const magnitude = exponent === 0 ? fraction : fraction | (1n << 52n);
  const signed = raw >> 63n === 1n ? -magnitude : magnitude;
  // value = signed * 2^(max(exponent, 1) - 1075); to it a half is added, then the floor taken by a shift.
  const shift = Math.max(exponent, 1) - 1075 + bits + 1;
  const doubled = shift >= 0 ? signed << BigInt(shift) : signed;
  return shift >= 0 ? (doubled + 1n) >> 1n : (signed + (1n << BigInt(-shift))) >> BigInt(1 - shift);
}

describe('encodeModel', () => {
  it('takes the nearest multiple, halves upwards, and counts what did not fit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.array(
          fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.float({ min: -2, max: 2, noNaN: true })),
          {
            minLength: 1,
            maxLength: 100,
          },
        ),
        (bits, values) => {
          const { vector, saturated } = encodeModel(layoutFor(bits, values.length), [Float32Array.from(values)]);
          let cut = 0;
          values.forEach((value, index) => {
            const exact = nearest(value, bits);
            const low = -(1n << 31n);
            const high = (1n << 31n) - 1n;
            const expected = exact < low ? low : exact > high ? high : exact;
            if (expected !== exact) cut++;
            expect(BigInt(vector[index] as number)).toBe(expected);
          });
          expect(saturated).toBe(cut);
        },
      ),
    );
  });

  it('turns NaN to 0 and infinities to the ends of int32, each counted', () => {
    const tensor = Float32Array.of(Number.NaN, Infinity, -Infinity, 127.5, 128, -128, -129, 0);
    const { vector, saturated } = encodeModel(layoutFor(24, 8), [tensor]);
    expect([...vector.subarray(0, 8)]).toEqual([
      0,
      2 ** 31 - 1,
      -(2 ** 31),
      127.5 * 2 ** 24,
      2 ** 31 - 1,
      -(2 ** 31),
      -(2 ** 31),
      0,
    ]);
    expect(saturated).toBe(5);
  });

  it('leaves the padding zero', () => {
    const layout = layoutOf([
      { name: 'a', shape: [3], fractionBits: 8, preScaleBits: 0 },
      { name: 'b', shape: [65], fractionBits: 8, preScaleBits: 0 },
    ]);
    const { vector } = encodeModel(layout, [new Float32Array(3).fill(1), new Float32Array(65).fill(1)]);
    expect(vector.reduce((count, value) => count + (value === 0 ? 0 : 1), 0)).toBe(68);
    expect([vector[2], vector[3], vector[64], vector[128], vector[129]]).toEqual([256, 0, 256, 256, 0]);
  });

  it('names the tensor of a wrong size', () => {
    const layout = layoutFor(24, 4);
    expect(() => encodeModel(layout, [new Float32Array(3)])).toThrow(/tensor "w" has 4 elements.*found 3/);
    expect(() => encodeModel(layout, [])).toThrow(LayoutError);
  });
});

describe('decodeModel', () => {
  it('is the float32 nearest to int / 2^fractionBits, ties to even', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.int32Array({ minLength: 1, maxLength: 64 }), (bits, values) => {
        const layout = layoutFor(bits, values.length);
        const vector = new Int32Array(layout.dimension);
        vector.set(values);
        const [decoded] = decodeModel(layout, vector);
        values.forEach((value, index) => {
          expect(decoded?.[index]).toBe(Math.fround(value / 2 ** bits));
        });
      }),
    );
  });

  it('encodes back to the same integers when 24 bits hold them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.array(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), { minLength: 1, maxLength: 80 }),
        (bits, values) => {
          const layout = layoutFor(bits, values.length);
          const vector = new Int32Array(layout.dimension);
          vector.set(values);
          const again = encodeModel(layout, decodeModel(layout, vector));
          expect(again).toEqual({ vector, saturated: 0 });
        },
      ),
    );
  });

  it('has one value a coordinate in use and copies out of the vector', () => {
    const layout = layoutFor(0, 3);
    const vector = new Int32Array(64).fill(5);
    const decoded = decodeModel(layout, vector);
    vector.fill(9);
    expect(decoded).toEqual([Float32Array.of(5, 5, 5)]);
  });
});
