import { exp } from '../models/elementary.ts';

/** Beyond it the distribution function is 0 or 1 to the last bit. */
const FARTHEST = 9;

/**
 * Where the standard normal distribution function has a value: by bisection, to the last bit that it can tell apart.
 *
 * @param p - above 0, below 1
 */
export function normalQuantile(p: number): number {
  let low = -FARTHEST;
  let high = FARTHEST;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) return middle;
    if (normalDistribution(middle) < p) low = middle;
    else high = middle;
  }
}

/**
 * The standard normal distribution function, by its series `1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 * 5) + ...)` (Marsaglia,
 * "Evaluating the normal distribution", Journal of Statistical Software 2004).
 */
function normalDistribution(x: number): number {
  let sum = x;
  let term = x;
  for (let odd = 3; ; odd += 2) {
    term *= (x * x) / odd;
    if (sum + term === sum) break;
    sum += term;
  }
  return 0.5 + (sum * exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
