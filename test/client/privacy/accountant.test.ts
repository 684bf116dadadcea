import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epsilonOf, noiseWithin, rhoOfUpdate, rhoWithin } from '../../../client/privacy/accountant.ts';

describe('epsilonOf', () => {
  it.each([
    // Computed by cdp2adp.py, which the authors of "The Discrete Gaussian for Differential Privacy" published with it.
    [0.01, 1e-6, 0.6216926545596025],
    [0.1, 1e-6, 2.141938928385474],
    [0.125, 1e-6, 2.4190931768671953],
    [0.5, 1e-5, 4.728386984943314],
    [1, 1e-5, 7.0771966958063395],
    [2.56, 1e-10, 17.15830871210475],
    [5, 1e-6, 20.551948814041253],
    [20, 1e-5, 48.75452228343616],
  ])('of rho %f at delta %f is what the reference says', (rho, delta, epsilon) => {
    expect(epsilonOf(rho, delta)).toBeCloseTo(epsilon, 8);
  });

  it('is 1 at delta 1e-6 for the noise multiplier that the accountant of TensorFlow Privacy publishes for it', () => {
    // google/differential-privacy, rdp_privacy_accountant_test.py, test_compute_epsilon_delta_gaussian.
    expect(epsilonOf(1 / (2 * 4.530877117 ** 2), 1e-6)).toBeCloseTo(1, 6);
  });

  it.each([
    // The exact epsilon of one continuous Gaussian (Balle and Wang, ICML 2018, theorem 8): nothing sound is below it.
    [0.01, 1e-6, 0.5750551857799951],
    [0.1, 1e-6, 1.9945269006963415],
    [1, 1e-5, 6.572970067030325],
  ])('of rho %f at delta %f is above the least that is true', (rho, delta, least) => {
    expect(epsilonOf(rho, delta)).toBeGreaterThan(least);
  });

  const rhos = fc.double({ min: 1e-6, max: 100, noNaN: true });
  const deltas = fc.double({ min: 1e-12, max: 0.01, noNaN: true });

  it('grows with rho, falls with delta, and is never above the simpler bound of Bun and Steinke', () => {
    fc.assert(
      fc.property(rhos, deltas, fc.double({ min: 1.001, max: 10, noNaN: true }), (rho, delta, factor) => {
        const epsilon = epsilonOf(rho, delta);
        expect(epsilonOf(rho * factor, delta)).toBeGreaterThanOrEqual(epsilon);
        expect(epsilonOf(rho, delta / factor)).toBeGreaterThanOrEqual(epsilon);
        // "Concentrated differential privacy", TCC 2016, proposition 1.3.
        expect(epsilon).toBeLessThanOrEqual(rho + 2 * Math.sqrt(rho * Math.log(1 / delta)));
      }),
    );
    expect(epsilonOf(0, 1e-6)).toBe(0);
  });

  it('costs less for two updates together than for two apart', () => {
    fc.assert(
      fc.property(rhos, deltas, (rho, delta) => {
        expect(epsilonOf(2 * rho, 2 * delta)).toBeLessThanOrEqual(2 * epsilonOf(rho, delta) + 1e-9);
      }),
    );
  });

  it('is inverted by the most rho within a budget', () => {
    // cdp_rho of the same reference.
    expect(rhoWithin(1, 1e-6)).toBeCloseTo(0.024355970359538372, 10);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), deltas, (epsilon, delta) => {
        const rho = rhoWithin(epsilon, delta);
        expect(epsilonOf(rho, delta)).toBeLessThanOrEqual(epsilon);
        expect(epsilonOf(rho * 1.000_001 + 1e-12, delta)).toBeGreaterThan(epsilon * 0.999_999);
      }),
    );
  });
});

describe('rhoOfUpdate', () => {
  it('counts any two data sets as neighbours: twice the clip apart', () => {
    expect(rhoOfUpdate(1, 2)).toBe((2 * 1) ** 2 / (2 * 2 ** 2));
  });
});

describe('one update, by the exact probabilities of its noise', () => {
  /** The least delta at an epsilon for two clipped updates as far apart as can be: the sum of what p has over e^epsilon q. */
  function exactDelta(clip: number, sigma: number, epsilon: number): number {
    const mass = (y: number): number => Math.exp(-(y * y) / (2 * sigma * sigma));
    const reach = 2 * clip + 40 * sigma;
    let total = 0;
    let excess = 0;
    for (let y = -reach; y <= reach; y++) {
      total += mass(y);
      excess += Math.max(0, mass(y - 2 * clip) - Math.exp(epsilon) * mass(y));
    }
    return excess / total;
  }

  it.each([
    [10, 5],
    [10, 20],
    [25, 100],
    [40, 30],
  ])('costs no more than is stated, and not far less, at clip %i and sigma %i', (clip, sigma) => {
    for (const delta of [1e-3, 1e-5, 1e-7]) {
      const epsilon = epsilonOf(rhoOfUpdate(clip, sigma), delta);
      expect(exactDelta(clip, sigma, epsilon)).toBeLessThanOrEqual(delta);
      // Half of the sensitivity would be a statement that is not true.
      expect(exactDelta(clip, sigma, epsilonOf(rhoOfUpdate(clip / 2, sigma), delta))).toBeGreaterThan(delta);
    }
  });
});

describe('noiseWithin', () => {
  it('spends the budget in just so many updates', () => {
    const noise = noiseWithin(8, 1e-5, 20);
    expect(epsilonOf(20 * rhoOfUpdate(1, noise), 1e-5)).toBeCloseTo(8, 6);
    expect(epsilonOf(21 * rhoOfUpdate(1, noise), 1e-5)).toBeGreaterThan(8);
  });
});
