import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dirtyPadding, LayoutError, layoutOf } from '../../../shared/fixed-point/layout.ts';
import { decodeUpdate, encodeUpdate, largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { createRng } from '../../../shared/rng.ts';

const layoutFor = (size: number, preScaleBits = 0) =>
  layoutOf([{ name: 'w', shape: [size], fractionBits: 24, preScaleBits }]);

describe('encodeUpdate', () => {
  it.each([0.25, -0.25, 0.5, 3.75, -7.0625, 0.01, -0.99])('has %d as its expectation', (value) => {
    const draws = 40_000;
    const layout = layoutFor(draws);
    const local = new Float32Array(draws).fill(value);
    const { vector, saturated } = encodeUpdate(layout, [local], 0, createRng(7));
    const single = Math.fround(value);
    const floor = Math.floor(single);
    const drawn = vector.subarray(0, draws);
    expect(drawn.every((q) => q === floor || q === floor + 1)).toBe(true);
    const sum = drawn.reduce((total, q) => total + q, 0);
    const probability = single - floor;
    const standardError = Math.sqrt((probability * (1 - probability)) / draws);
    expect(Math.abs(sum / draws - single)).toBeLessThan(4 * standardError);
    expect(saturated).toBe(0);
  });

  it('is exact on values that are whole in update units', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: -8, max: 8 }),
        fc.array(fc.integer({ min: -8191, max: 8191 }), { minLength: 1, maxLength: 70 }),
        (bits, preScale, values) => {
          const layout = layoutFor(values.length, preScale);
          const local = Float32Array.from(values, (q) => q / 2 ** (bits + preScale));
          const { vector, saturated } = encodeUpdate(layout, [local], bits, createRng(1));
          expect([...vector.subarray(0, values.length)]).toEqual(values);
          expect(saturated).toBe(0);
          expect(decodeUpdate(layout, vector, bits)[0]).toEqual(Float64Array.from(local));
        },
      ),
    );
  });

  it('stays within one unit of the value and within the limit, padding zero', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.array(fc.float(), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        (bits, values, seed) => {
          const layout = layoutFor(values.length);
          const update = Float32Array.from(values);
          const { vector, saturated } = encodeUpdate(layout, [update], bits, createRng(seed));
          let cut = 0;
          values.forEach((_, index) => {
            const exact = (update[index] as number) * 2 ** bits;
            const q = vector[index] as number;
            expect(Math.abs(q)).toBeLessThanOrEqual(8191);
            if (Number.isNaN(exact)) {
              expect(q).toBe(0);
              cut++;
            } else if (Math.abs(exact) >= 8192) {
              expect(q).toBe(Math.sign(exact) * 8191);
              cut++;
            } else if (Math.abs(exact) <= 8191) {
              expect(Math.abs(q - exact)).toBeLessThan(1);
            } else {
              // Between 8191 and 8192 the draw decides whether it is cut; either way it ends at the limit.
              expect(q).toBe(Math.sign(exact) * 8191);
            }
          });
          const undecided = values.filter((_, index) => {
            const exact = Math.abs((update[index] as number) * 2 ** bits);
            return exact > 8191 && exact < 8192;
          }).length;
          expect(saturated).toBeGreaterThanOrEqual(cut);
          expect(saturated).toBeLessThanOrEqual(cut + undecided);
          expect(dirtyPadding(layout, vector)).toBe(-1);
        },
      ),
    );
  });

  it('repeats for one seed and differs for another', () => {
    const layout = layoutFor(200);
    const local = Float32Array.from({ length: 200 }, (_, index) => index / 7);
    const encode = (seed: number) => encodeUpdate(layout, [local], 3, createRng(seed)).vector;
    expect(encode(1)).toEqual(encode(1));
    expect(encode(1)).not.toEqual(encode(2));
  });

  it('checks the sizes', () => {
    const layout = layoutFor(2);
    expect(() => encodeUpdate(layout, [new Float32Array(3)], 0, createRng(1))).toThrow(LayoutError);
    expect(() => encodeUpdate(layout, [], 0, createRng(1))).toThrow(LayoutError);
  });
});

describe('largestMagnitude', () => {
  it('is the largest absolute value, 0 for an empty vector', () => {
    expect(largestMagnitude(new Int16Array(0))).toBe(0);
    fc.assert(
      fc.property(fc.int16Array({ minLength: 1 }), (vector) => {
        expect(largestMagnitude(vector)).toBe(Math.max(...[...vector].map(Math.abs)));
      }),
    );
  });
});
