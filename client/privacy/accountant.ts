/**
 * The privacy lost by publishing one update that was clipped to a norm and covered by discrete Gaussian noise, as rho of
 * zero-concentrated differential privacy: `sensitivity^2 / (2 sigma^2)` (Canonne, Kamath and Steinke 2020, theorem 4 and
 * its multivariate form). In Mironov's terms ("Rényi differential privacy", CSF 2017) the order-alpha divergence is at
 * most `alpha rho` for every alpha > 1.
 *
 * The guarantee is local: *any* two data sets of the client are neighbours. Two vectors of norm `clip` may lie `2 clip`
 * apart, which is the sensitivity, twice that of counting a client's presence only.
 *
 * @param clip - largest Euclidean norm, in the unit of sigma
 * @param sigma - parameter of the noise in each coordinate
 */
export function rhoOfUpdate(clip: number, sigma: number): number {
  return (2 * clip * clip) / (sigma * sigma);
}

const SEARCH_STEPS = 200;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The epsilon that rho buys at a delta: the least over alpha > 1 of
 * `alpha rho + log(1 - 1/alpha) - (log delta + log alpha) / (alpha - 1)` (Canonne, Kamath and Steinke 2020, proposition
 * 12; Balle et al., "Hypothesis testing interpretations and Rényi differential privacy", AISTATS 2020, theorem 21). Losses
 * of several updates add up in rho, also where each was chosen after the ones before were seen. Every alpha gives a valid
 * bound: a search that ends beside the least one states too much, never too little.
 *
 * @param rho - total of the updates published, 0 or more
 * @param delta - in (0, 1)
 */
export function epsilonOf(rho: number, delta: number): number {
  if (rho === 0) return 0;
  const bound = (logExcess: number): number => {
    const excess = Math.exp(logExcess);
    const alpha = 1 + excess;
    return alpha * rho - Math.log1p(1 / excess) - (Math.log(delta) + Math.log1p(excess)) / excess;
  };
  // The bound has one valley in alpha: where it is below a level is an interval.
  let low = -12;
  let high = Math.max(12, Math.log(-Math.log(delta) / rho) + 12);
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const left = high - GOLDEN * (high - low);
    const right = low + GOLDEN * (high - low);
    if (bound(left) <= bound(right)) high = right;
    else low = left;
  }
  return Math.max(0, bound((low + high) / 2));
}

/**
 * The most rho that stays within a budget.
 *
 * @param epsilon - above 0
 * @param delta - in (0, 1)
 */
export function rhoWithin(epsilon: number, delta: number): number {
  let low = 0;
  // Bun and Steinke's simpler bound is never below this one's: rho <= epsilon always holds within a budget.
  let high = epsilon + 1;
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = (low + high) / 2;
    if (epsilonOf(middle, delta) <= epsilon) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The least noise, as a multiple of the clip, with which a number of updates stays within a budget.
 *
 * @param epsilon - above 0
 * @param delta - in (0, 1)
 * @param updates - how many are published, retried attempts included
 */
export function noiseWithin(epsilon: number, delta: number, updates: number): number {
  return Math.sqrt((2 * updates) / rhoWithin(epsilon, delta));
}
