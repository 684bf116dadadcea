import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import type { Distribution } from '../../../simulations/experiment/run-spec.ts';
import { drawDevice, drawLuck } from '../../../simulations/network/devices.ts';
import { distributionProblem, quantileOf, uniform } from '../../../simulations/network/distributions.ts';
import { normalQuantile } from '../../../simulations/random/normal-quantile.ts';
import { CALM, constant, ROUGH } from './settings.ts';

const probability = fc.double({ min: 2 ** -33, max: 1 - 2 ** -33, noNaN: true });

describe('the normal quantile', () => {
  it.each([
    // statistics.NormalDist().inv_cdf of Python 3.11
    [2 ** -33, -6.337957754553789],
    [1e-6, -4.753424308822899],
    [0.001, -3.090232306167813],
    [0.02, -2.0537489106318225],
    [0.074, -1.4466320671589785],
    [0.075, -1.4395314709384557],
    [0.3, -0.5244005127080407],
    [0.5, 0],
    [0.8413447460685429, 1],
    [0.9999, 3.7190164854557084],
    [1 - 2 ** -33, 6.337957754553789],
  ])('of %d is what Python says', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 13);
  });
});

describe('a distribution', () => {
  const KINDS: readonly Distribution[] = [
    constant(3),
    { kind: 'uniform', least: 1, most: 5 },
    { kind: 'lognormal', median: 2, sigma: 1.5 },
    { kind: 'exponential', mean: 4 },
  ];

  it('has the quantiles of its definition', () => {
    expect(KINDS.map((kind) => quantileOf(kind, 0.5))).toEqual([3, 3, 2, expect.closeTo(4 * Math.LN2, 12)]);
    expect(quantileOf(KINDS[2] as Distribution, 0.8413447460685429)).toBeCloseTo(2 * Math.exp(1.5), 10);
    expect(quantileOf(KINDS[3] as Distribution, 1 - Math.exp(-2))).toBeCloseTo(8, 10);
  });

  it('rises with the probability and is never below 0 or without end', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), probability, probability, (kind, a, b) => {
        const [low, high] = [quantileOf(kind, Math.min(a, b)), quantileOf(kind, Math.max(a, b))];
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThan(0);
        expect(Number.isFinite(high)).toBe(true);
      }),
    );
  });

  it('has the mean that its parameters say', () => {
    const rng = createRng(5, 'means');
    const draws = Array.from({ length: 40_000 }, () => uniform(rng));
    const means = KINDS.map((kind) => draws.reduce((sum, p) => sum + quantileOf(kind, p), 0) / draws.length);
    expect(means[0]).toBe(3);
    expect(means[1]).toBeCloseTo(3, 1);
    // Five standard errors: the lognormal's variance is (e^(s^2) - 1) times its squared mean 2 e^(s^2 / 2).
    const lognormalMean = 2 * Math.exp(1.125);
    expect(Math.abs((means[2] as number) - lognormalMean)).toBeLessThan(
      (5 * lognormalMean * Math.sqrt(Math.exp(2.25) - 1)) / 200,
    );
    expect(Math.abs((means[3] as number) - 4)).toBeLessThan((5 * 4) / 200);
  });

  it.each<[string, Distribution, boolean, RegExp]>([
    ['a negative time', constant(-1), true, /network\.x\.value is -1: give a number at least 0/],
    ['no bandwidth', constant(0), false, /network\.x\.value is 0: give a number above 0/],
    ['a mean of nothing', { kind: 'exponential', mean: Number.NaN }, true, /network\.x\.mean/],
    ['bounds the wrong way round', { kind: 'uniform', least: 2, most: 1 }, true, /network\.x\.most is 1.*no less/],
    ['no end', { kind: 'uniform', least: 2, most: Number.POSITIVE_INFINITY }, true, /network\.x\.most/],
    ['a negative spread', { kind: 'lognormal', median: 1, sigma: -1 }, true, /network\.x\.sigma/],
    ['a median of 0 for a bandwidth', { kind: 'lognormal', median: 0, sigma: 1 }, false, /network\.x\.median/],
  ])('is refused: %s', (_what, kind, isZeroFine, sentence) => {
    expect(distributionProblem('network.x', kind, isZeroFine)).toMatch(sentence);
  });

  it('is not refused when it can be', () => {
    for (const kind of KINDS) expect(distributionProblem('network.x', kind, false)).toBeUndefined();
    expect(distributionProblem('network.x', constant(0), true)).toBeUndefined();
  });
});

describe('draws', () => {
  const load = { modelBytes: 1000, updateBytes: 500 };

  it('of one property leave all others what they are', () => {
    const other = { ...ROUGH, secondsPerExample: constant(7), dropout: 0.5 };
    const [one, two] = [ROUGH, other].map((spec) => drawDevice(spec, load, 3, 4));
    expect(two).toEqual({ ...one, msPerExample: 7000 });
    const [before, after] = [ROUGH, other].map((spec) => drawLuck(spec, 3, 4, '1/0'));
    expect({ ...after, drops: before?.drops }).toEqual(before);
  });

  it('only drop more clients when more drop out', () => {
    for (let client = 0; client < 200; client++) {
      const [few, many] = [0.2, 0.4].map((dropout) => drawLuck({ ...ROUGH, dropout }, 1, client, '1/0').drops);
      if (few) expect(many).toBe(true);
    }
  });

  it('differ between clients, rounds and seeds', () => {
    const latencies = [
      drawLuck(ROUGH, 1, 1, '1/0'),
      drawLuck(ROUGH, 2, 1, '1/0'),
      drawLuck(ROUGH, 1, 2, '1/0'),
      drawLuck(ROUGH, 1, 1, '2/0'),
    ].map(({ latencyMs }) => latencyMs);
    expect(new Set(latencies).size).toBe(4);
  });

  it('turn bandwidths into times', () => {
    expect(drawDevice(CALM, load, 1, 0)).toEqual({ msPerExample: 10, downMs: 1, upMs: 2 });
  });
});
