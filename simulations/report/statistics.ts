/** What some independent runs say of a quantity. */
export interface Spread {
  /** Runs. */
  readonly n: number;
  /** Their mean; null without runs. */
  readonly mean: number | null;
  /** Sample standard deviation, `n - 1` below the line; null for fewer than two runs. */
  readonly sd: number | null;
  /** Half the width of the mean's 95 % confidence interval, Student's t; null for fewer than two runs. */
  readonly half: number | null;
}

/** Mean, sample standard deviation and 95 % interval; sums go in the order given. */
export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  if (n === 0) return { n, mean: null, sd: null, half: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, sd: null, half: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  const sd = Math.sqrt(squares / (n - 1));
  return { n, mean, sd, half: (studentQuantile(n - 1) * sd) / Math.sqrt(n) };
}

/** Quantiles that were computed: a report asks for the same few thousands of times. */
const known = new Map<number, number>();

/**
 * The 0.975 quantile of Student's t, found by bisection of its distribution function, which has a closed form for whole
 * degrees of freedom.
 *
 * @param freedom - degrees of freedom, from 1
 */
export function studentQuantile(freedom: number): number {
  const before = known.get(freedom);
  if (before !== undefined) return before;
  let below = 0;
  let above = 16;
  for (let step = 0; step < 60; step++) {
    const middle = (below + above) / 2;
    if (centralProbability(middle, freedom) < 0.95) below = middle;
    else above = middle;
  }
  known.set(freedom, above);
  return above;
}

/** The chance that |t| is below a value: Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even degrees of freedom). */
function centralProbability(t: number, freedom: number): number {
  const cosine2 = freedom / (freedom + t * t);
  const cosine = Math.sqrt(cosine2);
  const sine = t / Math.sqrt(freedom + t * t);
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= (cosine2 * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (Math.atan2(sine, cosine) + sine * sum) : sine * sum;
}
