import { describe, expect, it } from 'vitest';
import { MOST_SIGMA, sampleDiscreteGaussian } from '../../../client/privacy/discrete-gaussian.ts';
import { secureIntegers, type UniformIntegers, uniformIntegers } from '../../../client/privacy/uniform-integers.ts';
import { createRng } from '../../../shared/rng.ts';

const seeded = (seed: number): UniformIntegers => {
  const rng = createRng(seed, 'noise');
  return uniformIntegers(() => rng.nextUint32());
};

function draw(sigma: number, count: number, random: UniformIntegers): Int32Array {
  return Int32Array.from({ length: count }, () => sampleDiscreteGaussian(sigma, random));
}

/** The exact probabilities of -reach to reach; what lies beyond is in the two ends. */
function probabilities(sigma: number, reach: number): Float64Array {
  const mass = (y: number): number => Math.exp(-(y * y) / (2 * sigma * sigma));
  let total = 0;
  for (let y = -40 * sigma; y <= 40 * sigma; y++) total += mass(y);
  const found = Float64Array.from({ length: 2 * reach + 1 }, (_, at) => mass(at - reach) / total);
  let tail = 0;
  for (let y = reach + 1; y <= 40 * sigma; y++) tail += mass(y) / total;
  found[0] = (found[0] ?? 0) + tail;
  found[2 * reach] = (found[2 * reach] ?? 0) + tail;
  return found;
}

/** Pearson's statistic, in standard deviations above its mean: chi-square of k - 1 degrees has variance 2 (k - 1). */
function surprise(sigma: number, reach: number, drawn: Int32Array): number {
  const expected = probabilities(sigma, reach);
  const counts = new Float64Array(expected.length);
  for (const y of drawn) {
    const at = Math.min(reach, Math.max(-reach, y)) + reach;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const statistic = counts.reduce((sum, count, at) => {
    const mean = (expected[at] ?? 0) * drawn.length;
    return sum + (count - mean) ** 2 / mean;
  }, 0);
  const degrees = expected.length - 1;
  return (statistic - degrees) / Math.sqrt(2 * degrees);
}

describe('sampleDiscreteGaussian', () => {
  it.each([
    [1, 4],
    [2, 7],
    [3, 10],
    [10, 32],
    [37, 110],
  ])('follows the exact probabilities at sigma %i', (sigma, reach) => {
    expect(Math.abs(surprise(sigma, reach, draw(sigma, 200_000, seeded(sigma))))).toBeLessThan(4);
  });

  it('tells wrong samplers by the same measure', () => {
    const sample = draw(3, 200_000, seeded(5));
    // Zero twice as often as it should be, as where both signs of zero were let through.
    const heavyZero = sample.map((y, at) => (at % 20 === 0 ? 0 : y));
    expect(surprise(3, 10, heavyZero)).toBeGreaterThan(20);
    // A continuous Gaussian that is rounded has another law at small sigma.
    const rng = createRng(1);
    const rounded = Int32Array.from({ length: 200_000 }, () => {
      const radius = Math.sqrt(-2 * Math.log(1 - rng.nextFloat()));
      return Math.round(radius * Math.cos(2 * Math.PI * rng.nextFloat()));
    });
    expect(surprise(1, 4, rounded)).toBeGreaterThan(20);
    // Sigma too small by a thirty-seventh.
    expect(surprise(37, 110, draw(36, 200_000, seeded(2)))).toBeGreaterThan(10);
  });

  it('has the moments of its law, small sigma and large', () => {
    // Variances by the reference implementation of the paper's authors; for larger sigma it equals sigma^2.
    for (const [sigma, variance] of [
      [1, 0.9999997887677282],
      [100, 10_000],
      [MOST_SIGMA, MOST_SIGMA ** 2],
    ] as const) {
      const drawn = draw(sigma, 100_000, seeded(sigma + 1));
      const mean = drawn.reduce((sum, y) => sum + y, 0) / drawn.length;
      const second = drawn.reduce((sum, y) => sum + y * y, 0) / drawn.length;
      const fourth = drawn.reduce((sum, y) => sum + (y / sigma) ** 4, 0) / drawn.length;
      expect(Math.abs(mean) / sigma).toBeLessThan(4 / Math.sqrt(drawn.length));
      expect(Math.abs(second / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / drawn.length));
      expect(Math.abs(fourth - 3)).toBeLessThan(4 * Math.sqrt(96 / drawn.length));
    }
  });

  it('stays exact where a square is beyond what doubles hold', () => {
    // A source that lets everything through: a candidate a hundred sigma out, and every trial on the way to it.
    let coins = 0;
    let trials = 0;
    const far: UniformIntegers = {
      below: (bound) => {
        if (bound === 1) return 0;
        if (bound === 2) return ++coins === 101 || coins === 102 ? 1 : 0;
        if (bound === 3) trials++;
        return bound - 1;
      },
    };
    const drawn = sampleDiscreteGaussian(MOST_SIGMA, far);
    expect(drawn).toBe(-(MOST_SIGMA - 1 + 100 * MOST_SIGMA));
    const beyond = BigInt(-drawn - MOST_SIGMA);
    const whole = (beyond * beyond) / (2n * BigInt(MOST_SIGMA) ** 2n);
    expect(trials).toBe(100 + Number(whole));
  });

  it('is symmetric and repeats from the same source', () => {
    const drawn = draw(50, 100_000, seeded(9));
    const positive = drawn.filter((y) => y > 0).length;
    const negative = drawn.filter((y) => y < 0).length;
    expect(Math.abs(positive - negative)).toBeLessThan(4 * Math.sqrt(drawn.length));
    expect(draw(50, 100, seeded(9))).toEqual(drawn.slice(0, 100));
  });
});

describe('uniformIntegers', () => {
  it('draws each value of a bound equally often, also of one that divides no power of two', () => {
    const random = seeded(3);
    for (const bound of [3, 2 ** 33 + 3]) {
      const counts = [0, 0, 0];
      for (let at = 0; at < 90_000; at++) {
        const drawn = random.below(bound);
        const third = Math.floor((3 * drawn) / bound);
        counts[third] = (counts[third] ?? 0) + 1;
      }
      expect(counts.length).toBe(3);
      for (const count of counts) expect(Math.abs(count - 30_000)).toBeLessThan(4 * Math.sqrt(20_000));
    }
  });

  it('never favours small results: what is left of the span is drawn again', () => {
    const words = [2 ** 32 - 1, 7];
    expect(uniformIntegers(() => words.shift() ?? 0).below(2 ** 31 + 1)).toBe(7);
  });

  it('takes production noise from the machine, never twice the same', () => {
    const secure = secureIntegers();
    const drawn = draw(1_000, 40_000, secure);
    expect(draw(1_000, 40_000, secureIntegers())).not.toEqual(drawn);
    expect(surprise(1_000, 3_000, drawn)).toBeLessThan(8);
  });
});
