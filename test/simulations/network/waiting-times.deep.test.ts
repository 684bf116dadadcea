import { describe, expect, it } from 'vitest';
import type { NetworkSpec } from '../../../simulations/experiment/run-spec.ts';
import { CALM, constant, facts, life, synchronous } from './settings.ts';

/** Only latencies differ, from round to round too: rounds are independent and alike. Eight of them make a round trip. */
const MESSAGES = 8;
const alike = (latencySeconds: NetworkSpec['latencySeconds']): NetworkSpec => ({
  ...CALM,
  latencySeconds,
  secondsPerExample: constant(0),
});
/** The model down, the update up. */
const CARRIED_SECONDS = 0.2 + 0.4;

/** Mean and standard error of what rounds took. */
function measured(spec: NetworkSpec, clients: number, rounds: number, sampled: number | null = null) {
  const lengths = life(spec, facts(clients, rounds, { sampled })).map((round) => round.closedAt - round.openedAt);
  expect(lengths).toHaveLength(rounds);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / rounds;
  const variance = lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / (rounds - 1);
  return { mean, error: Math.sqrt(variance / rounds) };
}

/**
 * The mean of the largest of n lognormal variables of median 1: the integral of e^(sigma z) n phi(z) Phi(z)^(n - 1), by the
 * trapezoidal rule, Phi with it.
 */
function meanOfLargest(n: number, sigma: number): number {
  const step = 1e-3;
  let below = 0;
  let sum = 0;
  for (let z = -9; z < 12; z += step) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    sum += step * Math.exp(sigma * z) * n * density * Math.min(1, below + (step * density) / 2) ** (n - 1);
    below += step * density;
  }
  return sum;
}

describe('rounds take as long as theory says', () => {
  it('knows the integral: the largest of one is a lognormal variable, the largest of two is known too', () => {
    expect(meanOfLargest(1, 0.7)).toBeCloseTo(Math.exp(0.245), 4);
    // 2 e^(s^2 / 2) Phi(s / sqrt 2), Phi(0.7 / sqrt 2) = 0.68968...
    expect(meanOfLargest(2, 0.7)).toBeCloseTo(2 * Math.exp(0.245) * 0.689683, 3);
  });

  it.each([
    [4, 0.5],
    [16, 1],
  ])('when all of %d lognormal clients (sigma %d) are waited for', (clients, sigma) => {
    const { mean, error } = measured(alike({ kind: 'lognormal', median: 0.1, sigma }), clients, 800);
    const expected = CARRIED_SECONDS + MESSAGES * 0.1 * meanOfLargest(clients, sigma);
    expect(Math.abs(mean - expected)).toBeLessThan(4 * error);
    // An error of a tenth in the formula would be seen.
    expect(error).toBeLessThan(0.025 * expected);
  });

  it('when the first k of n exponential clients are waited for: the mean times 1/n + ... + 1/(n - k + 1)', () => {
    const spec = synchronous({ extra: 6 }, alike({ kind: 'exponential', mean: 0.1 }));
    const { mean, error } = measured(spec, 30, 600, 10);
    const harmonic = Array.from({ length: 10 }, (_, at) => 1 / (16 - at)).reduce((sum, term) => sum + term, 0);
    expect(Math.abs(mean - (CARRIED_SECONDS + MESSAGES * 0.1 * harmonic))).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.02);
  });

  it('when clients differ for the whole run: the mean over runs is the mean of the slowest', () => {
    const spec: NetworkSpec = {
      ...CALM,
      latencySeconds: constant(0),
      secondsPerExample: { kind: 'lognormal', median: 0.01, sigma: 0.8 },
    };
    const runs = 400;
    const lengths = Array.from({ length: runs }, (_, seed) => {
      const [first, second] = life(synchronous({ retries: 0 }, spec), facts(8, 2, { seed }));
      const length = first?.closedAt ?? Number.NaN;
      expect((second?.closedAt ?? Number.NaN) - (second?.openedAt ?? Number.NaN)).toBeCloseTo(length, 9);
      return length;
    });
    const mean = lengths.reduce((sum, length) => sum + length, 0) / runs;
    const error = Math.sqrt(lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / runs / (runs - 1));
    expect(Math.abs(mean - (CARRIED_SECONDS + meanOfLargest(8, 0.8)))).toBeLessThan(4 * error);
  });

  it('when clients drop out: each that does costs the deadline', () => {
    const spec = synchronous(
      { deadlineSeconds: 20 },
      { ...alike(constant(0.05)), dropout: 0.02, coordinatorSeconds: 1 },
    );
    const rounds = life(spec, facts(10, 1500));
    const missed = rounds.filter(({ closing }) => closing === 'deadline').length / rounds.length;
    // All of ten are there with 0.98^10.
    const chance = 1 - 0.98 ** 10;
    expect(Math.abs(missed - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / rounds.length));
  });
});
