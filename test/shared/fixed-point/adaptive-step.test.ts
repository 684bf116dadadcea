import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { initialServerState } from '../../../shared/fixed-point/server-state.ts';
import { type ServerVectors, serverStep } from '../../../shared/fixed-point/server-step.ts';
import type { AdaptiveStep } from '../../../shared/fixed-point/server-step-settings.ts';
import { createRng } from '../../../shared/rng.ts';
import { scaledCase } from './step-cases.ts';

const kept = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(0, 58982, 64881, 65535));
const tau = fc.oneof(fc.integer({ min: 1, max: 2 ** 30 }), fc.constantFrom(1, 1073742, 2 ** 30));
const learningRate = fc.oneof(fc.integer({ min: 1, max: 2 ** 20 }), fc.constantFrom(655, 65536));
const step: fc.Arbitrary<AdaptiveStep> = fc.oneof(
  fc.record({ name: fc.constant('FedAdagrad' as const), learningRate, beta1: kept, tau }),
  fc.record({
    name: fc.constantFrom('FedYogi' as const, 'FedAdam' as const),
    learningRate,
    beta1: kept,
    beta2: kept,
    tau,
  }),
);

/** Reddi et al. (2021), algorithm 2, in float64 as it stands in the paper, for one coordinate. */
function paper(step: AdaptiveStep, m: number, v: number, delta: number) {
  const beta1 = step.beta1 / 65536;
  const beta2 = 'beta2' in step ? step.beta2 / 65536 : Number.NaN;
  const mNext = beta1 * m + (1 - beta1) * delta;
  const vNext = {
    FedAdagrad: v + delta ** 2,
    FedYogi: v - (1 - beta2) * delta ** 2 * Math.sign(v - delta ** 2),
    FedAdam: beta2 * v + (1 - beta2) * delta ** 2,
  }[step.name];
  return { m: mNext, v: vNext, change: (rate: number, tau: number) => (rate * mNext) / (Math.sqrt(vNext) + tau) };
}

const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] as number;

describe('the adaptive steps', () => {
  it('are the algorithm of the paper, its moments rounded to float32 and its change to the model unit', () => {
    fc.assert(
      fc.property(scaledCase, step, fc.integer({ min: 1, max: 2 ** 40 }), (drawn, chosen, spread) => {
        const { layout, scale, model, aggregate, updateBits, words } = drawn;
        const { dimension } = layout;
        const moments = Float32Array.from(words, (word, at) =>
          at < dimension ? word / spread : Math.abs(word) / spread,
        );
        const state = new Int32Array(moments.buffer);
        const stepped = serverStep(layout, { model, state }, aggregate, updateBits, chosen);
        const unit = 2 ** scale.fractionBits;
        const next = new Float32Array((stepped.state as Int32Array).buffer);
        let cut = 0;
        for (let at = 0; at < scale.size; at++) {
          const delta = (aggregate[at] as number) / 2 ** (updateBits + scale.preScaleBits + 8);
          const exact = paper(chosen, moments[at] as number, moments[dimension + at] as number, delta);
          expect(next[at]).toBe(Math.fround(exact.m));
          expect(next[dimension + at]).toBe(Math.fround(exact.v));
          const change = exact.change(chosen.learningRate / 65536, chosen.tau / 2 ** 30);
          const wanted = (model[at] as number) + change * unit;
          const found = stepped.model[at] as number;
          if (wanted > 2 ** 31 || wanted < -(2 ** 31) - 1) cut++;
          // What the moments' rounding to 24 bits can change is far below a part in a million.
          const kept = Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), wanted));
          expect(Math.abs(found - kept)).toBeLessThanOrEqual(0.5 + 1e-6 * Math.abs(change * unit) + 1e-6);
        }
        expect(stepped.saturated).toBeGreaterThanOrEqual(cut);
        expect(stepped.saturated).toBeLessThanOrEqual(scale.size);
      }),
      { numRuns: 500 },
    );
  });

  it('stay with plain float64 over many rounds', () => {
    const layout = layoutOf([{ name: 'w', shape: [64], fractionBits: 24, preScaleBits: 0 }]);
    for (const chosen of [
      { name: 'FedAdagrad', learningRate: 655, beta1: 58982, tau: 1073742 },
      { name: 'FedYogi', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
      { name: 'FedAdam', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
    ] as const) {
      const rng = createRng(5, chosen.name);
      const tauValue = chosen.tau / 2 ** 30;
      const plain = Array.from({ length: 64 }, () => ({ w: 0, m: 0, v: tauValue ** 2 }));
      let at = serverStep(layout, { model: new Int32Array(64), state: null }, new Int32Array(64), 16, chosen);
      for (const one of plain) Object.assign(one, paper(chosen, one.m, one.v, 0));
      for (let round = 0; round < 200; round++) {
        const aggregate = Int32Array.from({ length: 64 }, (_, index) => rng.below(40_000) - 20_000 + 300 * index);
        at = serverStep(layout, at, aggregate, 16, chosen);
        plain.forEach((one, index) => {
          const next = paper(chosen, one.m, one.v, (aggregate[index] as number) / 2 ** 24);
          one.w += next.change(chosen.learningRate / 65536, tauValue);
          one.m = next.m;
          one.v = next.v;
        });
      }
      plain.forEach(({ w }, index) => {
        const found = (at.model[index] as number) / 2 ** 24;
        expect(Math.abs(found - w)).toBeLessThan(200 * 2 ** -24 + 1e-5 * Math.abs(w));
      });
      expect(plain.some(({ w }) => Math.abs(w) > 0.1)).toBe(true);
    }
  });

  it('have these bits on every machine', () => {
    const layout = layoutOf([{ name: 'w', shape: [1000], fractionBits: 24, preScaleBits: 0 }]);
    const digests = (['FedAvgM', 'FedAdagrad', 'FedYogi', 'FedAdam'] as const).map((name) => {
      const moments = { beta1: 58982, tau: 1073742 };
      const chosen = {
        FedAvgM: { name: 'FedAvgM', learningRate: 50_000, momentum: 58982 },
        FedAdagrad: { name: 'FedAdagrad', learningRate: 655, ...moments },
        FedYogi: { name: 'FedYogi', learningRate: 655, ...moments, beta2: 64881 },
        FedAdam: { name: 'FedAdam', learningRate: 655, ...moments, beta2: 64881 },
      } as const;
      const rng = createRng(11, 'bits');
      const hash = createHash('sha256');
      let at: ServerVectors = { model: new Int32Array(layout.dimension), state: null };
      for (let round = 0; round < 50; round++) {
        const aggregate = new Int32Array(layout.dimension);
        for (let index = 0; index < 1000; index++) aggregate[index] = rng.below(2 ** (4 + (index % 18))) - 7;
        at = serverStep(layout, at, aggregate, 14 + (round % 5), chosen[name]);
        hash.update(vectorBytes(at.model)).update(vectorBytes(at.state as Int32Array));
      }
      return [name, hash.digest('hex').slice(0, 16)];
    });
    expect(Object.fromEntries(digests)).toMatchInlineSnapshot(`
      {
        "FedAdagrad": "ae4898e46446a1c2",
        "FedAdam": "4ab169ee088db1d0",
        "FedAvgM": "467cf7367f1ac85d",
        "FedYogi": "f3c930d713e5227f",
      }
    `);
  });
});

describe('a state from elsewhere', () => {
  const layout = layoutOf([{ name: 'w', shape: [65], fractionBits: 24, preScaleBits: 0 }]);
  const adam = { name: 'FedAdam', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 } as const;
  const momentum = { name: 'FedAvgM', learningRate: 655, momentum: 1 } as const;
  const plain = { name: 'FedAvg', learningRate: 655 } as const;
  const written = (word: number, value: number): Int32Array => {
    const state = initialServerState(layout, adam) as Int32Array;
    state[word] = value;
    return state;
  };

  it.each([
    ['of too few words', adam, new Int32Array(128), 'server-state/wrong-length'],
    ['of too many words', momentum, new Int32Array(256), 'server-state/wrong-length'],
    ['where none is kept', plain, new Int32Array(128), 'server-state/wrong-length'],
    ['with a first moment that is no number', adam, written(0, bitsOf(Number.NaN)), 'server-state/bad-moment'],
    ['with an infinite second moment', adam, written(130, bitsOf(Number.POSITIVE_INFINITY)), 'server-state/bad-moment'],
    ['with a second moment below zero', adam, written(192, bitsOf(-1e-9)), 'server-state/bad-moment'],
    ['with padding in use after the first moments', adam, written(65, 1), 'server-state/dirty-padding'],
    ['with padding in use after the second moments', adam, written(255, 1), 'server-state/dirty-padding'],
    ['with padding in use after the momentum', momentum, written(127, 1).slice(0, 128), 'server-state/dirty-padding'],
  ] as const)('is refused %s', (_, chosen, state, code) => {
    const before = { model: new Int32Array(128), state };
    expect(() => serverStep(layout, before, new Int32Array(128), 12, chosen)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('may be one whose first moments are below zero', () => {
    const before = { model: new Int32Array(128), state: written(0, bitsOf(-1e-3)) };
    const { model } = serverStep(layout, before, new Int32Array(128), 12, adam);
    expect(model[0]).toBeLessThan(0);
  });
});
