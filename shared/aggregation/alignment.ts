import { AGGREGATE_FRACTION_BITS } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';
import { lowerMedian } from './lower-median.ts';
import type { Matrix } from './rule.ts';

/** Squared distance from the aggregate, over the median's, beyond which an update is taken for an outlier: twice as far. */
const OUTLIER_FACTOR = 4n;

/** How updates lie to the aggregate, in squared aggregate units, 256 times finer on either side than an update's. */
export interface Alignment {
  /** `<q_i, a>` of each update. */
  readonly along: readonly bigint[];
  /** `<a, a>`. */
  readonly own: bigint;
  /**
   * Whether each update had a part in the aggregate and lies no farther from it than twice the median row of those that
   * had. With f < n/2 the median distance is one that an honest update reaches.
   */
  readonly isNear: readonly boolean[];
}

/**
 * Reads off an augmented Gram matrix how updates lie to the aggregate.
 *
 * @param gram - (n+1) x (n+1) exact inner products, the last row and column the aggregate's, as `gramMatrix` gives them
 * @param active - whether each of the n updates had a part in the aggregate
 * @throws AggregationError `aggregation/mixed-lengths`
 */
export function alignmentOf(gram: Matrix<bigint>, active: readonly boolean[]): Alignment {
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
  const isNear = distances.map((distance, i) => active[i] === true && distance <= farthest);
  return { along, own, isNear };
}
