import { AGGREGATE_FRACTION_BITS } from '../fixed-point/constants.ts';
import { AggregationError } from './aggregation-error.ts';
import type { Matrix } from './rule.ts';

/**
 * What each update contributed: `clamp(<q_i, a>, 0, 2 <a, a>)` for rows with weight in the aggregate, 0 for the others.
 * Going against the aggregate earns nothing, and shouting louder than it twice over earns no more.
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
  const most = 2n * (last[n] as bigint);
  return active.map((counts, i) => {
    const along = (last[i] as bigint) << BigInt(AGGREGATE_FRACTION_BITS);
    if (!counts || along < 0n) return 0n;
    return along > most ? most : along;
  });
}
