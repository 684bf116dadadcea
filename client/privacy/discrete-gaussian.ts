import type { UniformIntegers } from './uniform-integers.ts';

/** The largest sigma that is sampled: up to it, no product below is beyond what doubles hold exactly. */
export const MOST_SIGMA = 2 ** 20;

/** The largest number whose square doubles hold exactly. */
const MOST_SQUARED = 94_906_265;

/**
 * Draws from the discrete Gaussian N_Z(0, sigma^2): integers y with probability proportional to exp(-y^2 / (2 sigma^2)).
 *
 * Exact, after Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020), algorithms
 * 1 to 3: only integers are compared, so no rounding of a floating-point number can leak what the noise covers (Mironov,
 * "On significance of the least significant bits for differential privacy", CCS 2012). Here sigma is an integer, and the
 * discrete Laplace proposal has scale t = sigma, for which the acceptance probability is exp(-(|y| - sigma)^2 / (2
 * sigma^2)), about 0.76 in the mean.
 *
 * @param sigma - integer, 1 to {@link MOST_SIGMA}
 * @param random - the source of randomness
 */
export function sampleDiscreteGaussian(sigma: number, random: UniformIntegers): number {
  const denominator = 2 * sigma * sigma;
  for (;;) {
    const candidate = sampleDiscreteLaplace(sigma, random);
    const beyond = Math.abs(Math.abs(candidate) - sigma);
    const [whole, rest] = divideSquare(beyond, denominator);
    if (bernoulliExp(whole, rest, denominator, random)) return candidate;
  }
}

/**
 * Draws from the discrete Laplace distribution: integers y with probability proportional to exp(-|y| / scale)
 * (algorithm 2 of the same paper).
 *
 * @param scale - integer, 1 or more
 * @param random - the source of randomness
 */
function sampleDiscreteLaplace(scale: number, random: UniformIntegers): number {
  for (;;) {
    const low = random.below(scale);
    if (!bernoulliExpOfFraction(low, scale, random)) continue;
    let high = 0;
    while (bernoulliExpOfFraction(1, 1, random)) high++;
    const magnitude = low + scale * high;
    const isNegative = random.below(2) === 1;
    // Zero has one sign, or it would come twice as often as it should.
    if (isNegative && magnitude === 0) continue;
    return isNegative ? -magnitude : magnitude;
  }
}

/** True with probability exp(-(whole + numerator / denominator)), exactly; numerator <= denominator. */
function bernoulliExp(whole: number, numerator: number, denominator: number, random: UniformIntegers): boolean {
  for (let left = whole; left > 0; left--) if (!bernoulliExpOfFraction(1, 1, random)) return false;
  return bernoulliExpOfFraction(numerator, denominator, random);
}

/** True with probability exp(-numerator / denominator), exactly; numerator <= denominator (algorithm 1, same paper). */
function bernoulliExpOfFraction(numerator: number, denominator: number, random: UniformIntegers): boolean {
  let trials = 1;
  while (random.below(denominator * trials) < numerator) trials++;
  return trials % 2 === 1;
}

/** Quotient and remainder of a square. */
function divideSquare(root: number, divisor: number): [number, number] {
  if (root <= MOST_SQUARED) {
    const square = root * root;
    const rest = square % divisor;
    return [(square - rest) / divisor, rest];
  }
  const square = BigInt(root) * BigInt(root);
  return [Number(square / BigInt(divisor)), Number(square % BigInt(divisor))];
}
