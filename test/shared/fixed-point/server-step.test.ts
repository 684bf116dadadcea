import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { roundDivBig } from '../../../shared/fixed-point/round-div.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';

const AGGREGATE_LIMIT = 8191 * 256;
const coordinate = fc.tuple(
  fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0)),
  fc.oneof(
    fc.integer({ min: -AGGREGATE_LIMIT, max: AGGREGATE_LIMIT }),
    fc.constantFrom(AGGREGATE_LIMIT, -AGGREGATE_LIMIT, 1, -1),
  ),
);

describe('serverStep', () => {
  it('equals model + rate * aggregate in exact integers, rounded once, cut to int32 and counted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: -16, max: 16 }),
        fc.integer({ min: 0, max: 30 }),
        fc.oneof(fc.integer({ min: 1, max: 2 ** 20 }), fc.constantFrom(1, 65536, 2 ** 20)),
        fc.array(coordinate, { minLength: 1, maxLength: 66 }),
        (fractionBits, preScaleBits, updateBits, learningRate, coordinates) => {
          const layout = layoutOf([{ name: 'w', shape: [coordinates.length], fractionBits, preScaleBits }]);
          const model = new Int32Array(layout.dimension);
          const aggregate = new Int32Array(layout.dimension);
          coordinates.forEach(([m, a], at) => {
            model[at] = m;
            aggregate[at] = a;
          });
          const step = { name: 'FedAvg', learningRate } as const;
          const { vector, saturated } = serverStep(layout, model, aggregate, updateBits, step);
          let cut = 0;
          coordinates.forEach(([m, a], at) => {
            // delta = a * 2^-(updateBits + preScale + 8) * rate * 2^-16, in model units of 2^-fractionBits.
            const numerator = BigInt(a) * BigInt(learningRate) * (1n << BigInt(fractionBits));
            const places = updateBits + preScaleBits + 8 + 16;
            const exact = BigInt(m) + roundDivBig(numerator, 1n << BigInt(places));
            const low = -(1n << 31n);
            const high = (1n << 31n) - 1n;
            const expected = exact < low ? low : exact > high ? high : exact;
            if (expected !== exact) cut++;
            expect(BigInt(vector[at] as number)).toBe(expected);
          });
          expect(saturated).toBe(cut);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('adds an aggregate as it is when all scales agree', () => {
    const layout = layoutOf([{ name: 'w', shape: [3], fractionBits: 24, preScaleBits: 0 }]);
    const aggregate = new Int32Array(64);
    aggregate.set([256, -256, 128]);
    const model = new Int32Array(64);
    model.set([10, 10, 10]);
    const { vector } = serverStep(layout, model, aggregate, 24, { name: 'FedAvg', learningRate: 65536 });
    expect([...vector.subarray(0, 3)]).toEqual([11, 9, 11]);
  });

  it('keeps the padding zero and the parent as it was', () => {
    const layout = layoutOf([{ name: 'w', shape: [3], fractionBits: 24, preScaleBits: 0 }]);
    const model = new Int32Array(64).fill(1);
    const before = model.slice();
    const { vector } = serverStep(layout, model, new Int32Array(64).fill(2 ** 20), 10, {
      name: 'FedAvg',
      learningRate: 65536,
    });
    expect(vector.subarray(3).every((value) => value === 0)).toBe(true);
    expect(model).toEqual(before);
  });
});
