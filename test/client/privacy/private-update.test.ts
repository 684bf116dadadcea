import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScale, clipUpdate, encodePrivateUpdate, planNoise } from '../../../client/privacy/private-update.ts';
import { uniformIntegers } from '../../../client/privacy/uniform-integers.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { decodeUpdate } from '../../../shared/fixed-point/update.ts';
import { createRng } from '../../../shared/rng.ts';

const tensor = (name: string, size: number, preScaleBits = 0) => ({
  name,
  shape: [size],
  fractionBits: 24,
  preScaleBits,
});
const layout = layoutOf([tensor('kernel', 100), tensor('bias', 3, 2)]);
const seeded = (seed: number) => {
  const rng = createRng(seed, 'noise');
  return uniformIntegers(() => rng.nextUint32());
};
const normOf = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, q) => sum + q * q, 0));
const update = (draw: () => number) => [
  Float32Array.from({ length: 100 }, draw),
  Float32Array.from({ length: 3 }, draw),
];

describe('clipUpdate', () => {
  it('never leaves a norm above the clip, whatever the update', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noDefaultInfinity: false }), { minLength: 103, maxLength: 103 }),
        fc.double({ min: 1e-4, max: 1_000, noNaN: true }),
        (values, clip) => {
          const plan = planNoise({ clip, noise: 4 });
          const clipped = clipUpdate(
            layout,
            [Float32Array.from(values.slice(0, 100)), Float32Array.from(values.slice(100))],
            plan,
          );
          const squares = clipped.reduce((sum, q) => sum + BigInt(q) * BigInt(q), 0n);
          expect(squares <= BigInt(plan.clip) ** 2n).toBe(true);
        },
      ),
    );
  });

  it('is not fooled by rounding where little noise leaves a clip of many units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), fc.float({ min: 1, max: 1e6, noNaN: true }), (at, value) => {
        const plan = planNoise({ clip: 1, noise: 1 / 16 });
        const lone = new Float32Array(100);
        lone[at] = value;
        const clipped = clipUpdate(layout, [lone, new Float32Array(3)], plan);
        expect(clipped[at]).toBeLessThanOrEqual(plan.clip);
        expect(clipped[at]).toBeGreaterThan(plan.clip * 0.999);
      }),
    );
  });

  it('keeps the direction of a long update and all of a short one', () => {
    const plan = planNoise({ clip: 1, noise: 4 });
    const long = update(() => 0.5);
    const clipped = clipUpdate(layout, long, plan);
    expect(normOf(clipped) / plan.clip).toBeGreaterThan(0.999);
    expect(new Set(clipped.slice(0, 100)).size).toBe(1);
    // A pre-scale of two binary places makes a coordinate four times as long.
    expect((clipped[128] as number) / (clipped[0] as number)).toBeCloseTo(4, 3);
    const short = clipUpdate(
      layout,
      update(() => 0.01),
      plan,
    );
    expect(short[0]).toBe(Math.floor(Math.fround(0.01) * 2 ** plan.bits));
    expect(short.slice(100, 128).every((q) => q === 0)).toBe(true);
  });
});

describe('planNoise', () => {
  it('costs never more than was asked for, and hardly less', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2 ** -20, max: 1, noNaN: true }),
        fc.double({ min: 1 / 16, max: 4_000, noNaN: true }),
        (clip, noise) => {
          const plan = planNoise({ clip, noise });
          expect(plan.sigma).toBeLessThanOrEqual(2 ** 20);
          expect(plan.sigma).toBeGreaterThan(2 ** 18);
          expect(plan.rho).toBeLessThanOrEqual(2 / noise ** 2);
          expect(plan.rho).toBeGreaterThan((2 / noise ** 2) * 0.99);
        },
      ),
    );
  });
});

describe('checkScale', () => {
  it('refuses a round in whose units the noise would be cut, and names the scale that fits', () => {
    const plan = planNoise({ clip: 1, noise: 4 });
    checkScale(plan, 10);
    expect(() => checkScale(plan, 11)).toThrow(
      expect.objectContaining({ code: 'privacy/scale-too-fine', data: { updateBits: 11, fitting: 8 } }),
    );
    expect(() => checkScale(planNoise({ clip: 1024, noise: 4 }), 2)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('larger than any update') }),
    );
  });
});

describe('encodePrivateUpdate', () => {
  const encode = (values: Float32Array[], seed: number, updateBits = 8, asked = { clip: 1, noise: 4 }) =>
    encodePrivateUpdate(layout, values, updateBits, planNoise(asked), seeded(seed), createRng(seed, 'rounding'));

  it('adds noise of the stated deviation and no bias to the clipped update', () => {
    const values = update(() => 0.09);
    const sums = new Float64Array(100);
    let squares = 0;
    const draws = 400;
    for (let seed = 0; seed < draws; seed++) {
      const [kernel] = decodeUpdate(layout, encode(values, seed).vector, 8);
      kernel?.forEach((value, at) => {
        sums[at] = (sums[at] ?? 0) + value;
        squares += (value - 0.09) ** 2;
      });
    }
    const mean = sums.reduce((sum, value) => sum + value, 0) / (100 * draws);
    expect(Math.abs(mean - 0.09)).toBeLessThan(4 * (4 / Math.sqrt(100 * draws)));
    expect(Math.sqrt(squares / (100 * draws)) / 4).toBeCloseTo(1, 1);
  });

  it('covers every coordinate in use, also of an update of zeros, and leaves the padding alone', () => {
    const { vector } = encode(
      update(() => 0),
      1,
    );
    expect(vector.subarray(0, 100).filter((q) => q === 0).length).toBeLessThan(3);
    expect(vector.subarray(128, 131).every((q) => q !== 0)).toBe(true);
    expect(vector.subarray(100, 128).every((q) => q === 0)).toBe(true);
    expect(vector.subarray(131).every((q) => q === 0)).toBe(true);
  });

  it('looks the same whatever is beyond the clip: two long updates of one direction differ in nothing', () => {
    expect(
      encode(
        update(() => 7),
        3,
      ).vector,
    ).toEqual(
      encode(
        update(() => 7_000),
        3,
      ).vector,
    );
  });

  it('cuts at the limit of a coordinate and counts it', () => {
    const { vector, saturated } = encode(
      update(() => 0),
      1,
      10,
    );
    expect(saturated).toBeGreaterThan(0);
    expect(vector.filter((q) => Math.abs(q) === 8191).length).toBe(saturated);
    expect(Math.max(...vector)).toBeLessThanOrEqual(8191);
  });

  it('takes nothing that is not finite from a trainer', () => {
    const wild = update(() => Number.NaN);
    (wild[1] as Float32Array)[0] = Number.POSITIVE_INFINITY;
    expect(encode(wild, 5).vector).toEqual(
      encode(
        update(() => 0),
        5,
      ).vector,
    );
  });
});
