import type { Rng } from '../../shared/rng.ts';
import { exp, log } from '../models/elementary.ts';
import { normal } from './normal.ts';

/**
 * Shares drawn from a Dirichlet distribution: gamma variables over their sum, the same bits on every machine. The variables
 * are kept as logarithms until they are compared, so that a small concentration, whose gamma variables are all below the
 * smallest number there is, still yields shares that sum to 1.
 *
 * @param concentrations - one positive number a share
 * @returns shares from 0 to 1
 */
export function dirichlet(concentrations: readonly number[], rng: Rng): Float64Array {
  const logs = Float64Array.from(concentrations, (alpha) => logGamma(alpha, rng));
  const largest = logs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const shares = logs.map((value) => exp(value - largest));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/**
 * The logarithm of a gamma variable of scale 1, by rejection from a cubed normal variable (Marsaglia and Tsang, "A simple
 * method for generating gamma variables", ACM TOMS 2000); below 1 a variable of shape alpha + 1 times `u^(1 / alpha)`.
 *
 * @param alpha - shape, positive
 */
export function logGamma(alpha: number, rng: Rng): number {
  if (alpha < 1) return logGamma(alpha + 1, rng) + log(positive(rng)) / alpha;
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(rng);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = log(positive(rng));
    if (u < 0.5 * x * x + d - d * v + d * log(v)) return log(d) + log(v);
  }
}

/** A uniform number above 0 and below 1, of which there is a logarithm. */
function positive(rng: Rng): number {
  return rng.nextFloat() + 2 ** -33;
}
