import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { roundDivBig } from '../../../shared/fixed-point/round-div.ts';
import { initialServerState } from '../../../shared/fixed-point/server-state.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';
import { clampBig, scaledCase } from './step-cases.ts';

const rate = fc.oneof(fc.integer({ min: 1, max: 2 ** 20 }), fc.constantFrom(1, 65536, 2 ** 20));
const momentum = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(0, 58982, 65535));

describe('FedAvg', () => {
  it('equals model + rate * aggregate in exact integers, rounded once, cut to int32 and counted', () => {
    fc.assert(
      fc.property(scaledCase, rate, ({ layout, scale, model, aggregate, updateBits }, learningRate) => {
        const stepped = serverStep(layout, { model, state: null }, aggregate, updateBits, {
          name: 'FedAvg',
          learningRate,
        });
        let cut = 0;
        for (let at = 0; at < scale.size; at++) {
          // delta = a * 2^-(updateBits + preScale + 8) * rate * 2^-16, in model units of 2^-fractionBits.
          const numerator = BigInt(aggregate[at] as number) * BigInt(learningRate) * (1n << BigInt(scale.fractionBits));
          const places = updateBits + scale.preScaleBits + 8 + 16;
          const exact = BigInt(model[at] as number) + roundDivBig(numerator, 1n << BigInt(places));
          const expected = clampBig(exact);
          if (expected !== exact) cut++;
          expect(BigInt(stepped.model[at] as number)).toBe(expected);
        }
        expect(stepped.saturated).toBe(cut);
        expect(stepped.state).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('adds an aggregate as it is when all scales agree', () => {
    const layout = layoutOf([{ name: 'w', shape: [3], fractionBits: 24, preScaleBits: 0 }]);
    const aggregate = new Int32Array(64);
    aggregate.set([256, -256, 128]);
    const model = new Int32Array(64);
    model.set([10, 10, 10]);
    const step = { name: 'FedAvg', learningRate: 65536 } as const;
    const stepped = serverStep(layout, { model, state: null }, aggregate, 24, step);
    expect([...stepped.model.subarray(0, 3)]).toEqual([11, 9, 11]);
  });
});

describe('FedAvgM', () => {
  it('is what an EVM computes in int256: two floored quotients of exact integers, each cut to int32 and counted', () => {
    fc.assert(
      fc.property(scaledCase, rate, momentum, (drawn, learningRate, kept) => {
        const { layout, scale, model, aggregate, updateBits, words } = drawn;
        const state = words.slice(0, layout.dimension);
        state.fill(0, scale.size);
        const step = { name: 'FedAvgM', learningRate, momentum: kept } as const;
        const stepped = serverStep(layout, { model, state }, aggregate, updateBits, step);
        let cut = 0;
        for (let at = 0; at < scale.size; at++) {
          const shift = scale.fractionBits + 4 - (updateBits + scale.preScaleBits + 8);
          const [up, down] = [BigInt(Math.max(shift, 0)), BigInt(Math.max(-shift, 0))];
          const [m, a] = [BigInt(state[at] as number), BigInt(aggregate[at] as number)];
          const numerator = ((BigInt(kept) * m) << down) + (a << (16n + up));
          expect(numerator < 1n << 254n && numerator > -(1n << 254n)).toBe(true);
          const exactMomentum = roundDivBig(numerator, 1n << (16n + down));
          const nextMomentum = clampBig(exactMomentum);
          const exact = BigInt(model[at] as number) + roundDivBig(BigInt(learningRate) * nextMomentum, 1n << 20n);
          const expected = clampBig(exact);
          cut += Number(nextMomentum !== exactMomentum) + Number(expected !== exact);
          expect(BigInt(stepped.state?.[at] as number)).toBe(nextMomentum);
          expect(BigInt(stepped.model[at] as number)).toBe(expected);
        }
        expect(stepped.saturated).toBe(cut);
      }),
      { numRuns: 500 },
    );
  });

  it('sees on which side of a half a sum lies that no double holds', () => {
    // Half of an odd momentum is a whole and a half; what the aggregate adds to it is below a double's last place.
    const layout = layoutOf([{ name: 'w', shape: [4], fractionBits: 10, preScaleBits: 0 }]);
    const momentum = 2 ** 31 - 1;
    const state = new Int32Array(64);
    state.set([momentum, momentum, momentum, -momentum]);
    const aggregate = new Int32Array(64);
    aggregate.set([-1, 0, 1, -1]);
    const step = { name: 'FedAvgM', learningRate: 1, momentum: 32768 } as const;
    const stepped = serverStep(layout, { model: new Int32Array(64), state }, aggregate, 30, step);
    const half = 2 ** 30;
    expect([...(stepped.state as Int32Array).subarray(0, 4)]).toEqual([half - 1, half, half, -half]);
  });

  it('carries momentum on without an aggregate, and comes to rest without moving the model any more', () => {
    const layout = layoutOf([{ name: 'w', shape: [1], fractionBits: 24, preScaleBits: 0 }]);
    const step = { name: 'FedAvgM', learningRate: 65536, momentum: 58982 } as const;
    const push = new Int32Array(64);
    push[0] = 4096;
    let at = serverStep(layout, { model: new Int32Array(64), state: null }, push, 12, step);
    const first = at.model[0] as number;
    expect(first).toBe(4096 * 2 ** 4);
    for (let round = 0; round < 400; round++) at = serverStep(layout, at, new Int32Array(64), 12, step);
    // A geometric series: 1 / (1 - 0.9) times the first push, but for what each round's rounding adds.
    expect(Math.abs((at.model[0] as number) / first - 10)).toBeLessThan(0.001);
    expect(serverStep(layout, at, new Int32Array(64), 12, step).model[0]).toBe(at.model[0]);
  });

  it('without momentum differs from FedAvg by no more than one unit', () => {
    fc.assert(
      fc.property(scaledCase, ({ layout, scale, model, aggregate, updateBits }) => {
        const parent = { model: model.map((value) => value >> 8), state: null };
        const quiet = aggregate.map((value) => value >> 12);
        fc.pre(scale.fractionBits <= updateBits);
        const plain = serverStep(layout, parent, quiet, updateBits, { name: 'FedAvg', learningRate: 65536 });
        const moving = { name: 'FedAvgM', learningRate: 65536, momentum: 0 } as const;
        const other = serverStep(layout, parent, quiet, updateBits, moving);
        plain.model.forEach((value, at) => {
          expect(Math.abs(value - (other.model[at] as number))).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 100 },
    );
  });
});

describe('every step', () => {
  const steps = [
    { name: 'FedAvg', learningRate: 65536 },
    { name: 'FedAvgM', learningRate: 65536, momentum: 58982 },
    { name: 'FedAdagrad', learningRate: 655, beta1: 0, tau: 1073742 },
    { name: 'FedYogi', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
    { name: 'FedAdam', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
  ] as const;

  it.each(steps)('keeps the padding zero, and the parent as it was: $name', (step) => {
    const layout = layoutOf([
      { name: 'w', shape: [3], fractionBits: 24, preScaleBits: 0 },
      { name: 'b', shape: [70], fractionBits: 20, preScaleBits: 1 },
    ]);
    const model = new Int32Array(layout.dimension).fill(1);
    const state = initialServerState(layout, step);
    const copies = [model.slice(), state?.slice()];
    const stepped = serverStep(layout, { model, state }, new Int32Array(layout.dimension).fill(2 ** 20), 10, step);
    const isPadding = (word: number) => (word % 192 >= 3 && word % 192 < 64) || word % 192 >= 134;
    for (const vector of [stepped.model, stepped.state ?? new Int32Array(0)]) {
      vector.forEach((value, word) => {
        expect(value === 0).toBe(isPadding(word));
      });
    }
    expect([model, state ?? undefined]).toEqual(copies);
  });

  it.each(steps)('starts alike from no state and from the state before round 1: $name', (step) => {
    const layout = layoutOf([{ name: 'w', shape: [64], fractionBits: 24, preScaleBits: 0 }]);
    const model = new Int32Array(64);
    const aggregate = Int32Array.from({ length: 64 }, (_, at) => 37 * at - 900);
    const written = serverStep(layout, { model, state: initialServerState(layout, step) }, aggregate, 12, step);
    expect(serverStep(layout, { model, state: null }, aggregate, 12, step)).toEqual(written);
  });
});
