import { AGGREGATE_FRACTION_BITS } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';
import type { Matrix } from './rule.ts';

/** Squared distance from the aggregate, over the median's, beyond which an update is taken for an outlier: twice as far. */
const OUTLIER_FACTOR = 4n;

/**
 * What each update contributed: `clamp(<q_i, a>, 0, 2 <a, a>)` for rows with weight in the aggregate that lie no farther
 * from it than twice the median row, 0 for the others.
 *
 * Going against the aggregate earns nothing, and shouting louder than it twice over earns no more. The distance is there
 * because the direction alone can be fooled: a coordinate rule trims the attacker's `-tau h` and with it the honest value
 * at the other end, which turns the aggregate against `h` once the honest agree little, until `<-tau h, a>` is positive
 * and, being loud, at its cap. With f < n/2 the median distance is one that an honest update reaches.
 *
 * @param gram - (n+1) x (n+1) exact inner products, the last row and column the aggregate's, as `gramMatrix` gives them
 * @param active - whether each of the n updates had a weight above zero
 * @returns n scores in squared aggregate units: the aggregate is 256 times finer, so `<q_i, a>` is brought to its units
 * @throws AggregationError `aggregation/mixed-lengths`
 */
export function scores(gram: Matrix<bigint>, active: readonly boolean[]): bigint[] {
  const n = active.length;
  if (gram.length !== n + 1 || gram.some((row) => row.length !== n + 1)) {
    const sentence = `${n} updates need a Gram matrix of ${n + 1} rows and columns, the aggregate's last`;
    throw new AggregationError('aggregation/mixed-lengths', sentence, { n, rows: gram.length });
  }
  const last = gram[n] as readonly bigint[];
  const own = last[n] as bigint;
  const along = active.map((_, i) => (last[i] as bigint) << BigInt(AGGREGATE_FRACTION_BITS));
  const distances = along.map((inner, i) => {
    const squared = (gram[i] as readonly bigint[])[i] as bigint;
    return (squared << BigInt(2 * AGGREGATE_FRACTION_BITS)) - 2n * inner + own;
  });
  const farthest = OUTLIER_FACTOR * lowerMedian(distances.filter((_, i) => active[i]));
  return along.map((inner, i) => {
    if (!active[i] || inner < 0n || (distances[i] as bigint) > farthest) return 0n;
    return inner > 2n * own ? 2n * own : inner;
  });
}

function lowerMedian(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0n;
}
