import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { exp } from '../../../simulations/models/elementary.ts';
import { dirichlet, logGamma } from '../../../simulations/random/dirichlet.ts';
import { normal } from '../../../simulations/random/normal.ts';
import { shuffle } from '../../../simulations/random/shuffle.ts';

const DRAWS = 8000;

/** The k-th moment of some draws. */
function moment(draws: readonly number[], k: number): number {
  return draws.reduce((sum, value) => sum + value ** k, 0) / draws.length;
}

function draw(seed: number, one: (rng: ReturnType<typeof createRng>) => number): number[] {
  const rng = createRng(seed, 'test/random');
  return Array.from({ length: DRAWS }, () => one(rng));
}

describe('normal', () => {
  it('has the moments of the standard normal distribution', () => {
    const draws = draw(1, normal);
    // Five standard errors of each.
    expect(Math.abs(moment(draws, 1))).toBeLessThan(5 / Math.sqrt(DRAWS));
    expect(Math.abs(moment(draws, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / DRAWS));
    expect(Math.abs(moment(draws, 3))).toBeLessThan(5 * Math.sqrt(15 / DRAWS));
    expect(Math.abs(moment(draws, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / DRAWS));
  });

  it('gives these bits, on every machine', () => {
    const rng = createRng(7, 'test/normal');
    expect(Array.from({ length: 3 }, () => normal(rng))).toEqual([
      0.5529206813104368, -0.7433369027697752, -1.2041691937186572,
    ]);
  });
});

describe('logGamma', () => {
  it.each([0.05, 0.5, 1, 2.5, 40])('is the logarithm of a variable of mean and variance %d', (alpha) => {
    const draws = draw(2, (rng) => exp(logGamma(alpha, rng)));
    const fourth = 3 * alpha * alpha + 6 * alpha;
    expect(Math.abs(moment(draws, 1) - alpha)).toBeLessThan(5 * Math.sqrt(alpha / DRAWS));
    const variance = moment(draws, 2) - moment(draws, 1) ** 2;
    expect(Math.abs(variance - alpha)).toBeLessThan(5 * Math.sqrt((fourth - alpha * alpha) / DRAWS));
  });
});

describe('dirichlet', () => {
  it('has the means and variances of the distribution', () => {
    const rng = createRng(3, 'test/dirichlet');
    const concentrations = [0.5, 1, 2.5];
    const draws = Array.from({ length: DRAWS }, () => dirichlet(concentrations, rng));
    for (const [i, alpha] of concentrations.entries()) {
      const share = draws.map((shares) => shares[i] as number);
      const mean = alpha / 4;
      const variance = (mean * (1 - mean)) / 5;
      expect(Math.abs(moment(share, 1) - mean)).toBeLessThan(5 * Math.sqrt(variance / DRAWS));
      expect(Math.abs(moment(share, 2) - mean * mean - variance)).toBeLessThan(0.1 * (variance + mean * mean));
    }
  });

  it.each([1e-6, 0.01, 1, 1e6])('sums to 1 at a concentration of %d', (alpha) => {
    const rng = createRng(4, 'test/dirichlet');
    for (let i = 0; i < 50; i += 1) {
      const shares = dirichlet(
        Array.from({ length: 10 }, () => alpha),
        rng,
      );
      expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      const largest = Math.max(...shares);
      if (alpha < 1e-3) expect(largest).toBeGreaterThan(0.999);
      if (alpha > 1e3) expect(largest).toBeLessThan(0.101);
    }
  });
});

describe('shuffle', () => {
  it('gives every order of three equally often', () => {
    const rng = createRng(5, 'test/shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i += 1) {
      const order = shuffle(Int32Array.of(0, 1, 2), rng).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });
});
