import { tooFine } from './reduction.ts';
import type { Params, PreAggregator } from './rule.ts';

/** Finest grain: the weights of updates need no more, they have as many binary places. */
const FINEST_BITS = 30;

/** Coarsest grain: with fewer binary places clipping would not be clipping any more. */
const COARSEST_BITS = 10;

/** Largest denominator of a mixture: its entries, sums of products, stay exact in doubles with room to spare. */
const MOST_MIXED = 2 ** 50;

/**
 * The finest power of two that real factors can be rounded to so that every mixture of the pipeline is exact.
 *
 * @param pre - pre-aggregators, the first applied first
 * @param n - updates
 * @throws AggregationError `aggregation/too-large` when not even 10 binary places are left for it
 */
export function grainOf(pre: readonly PreAggregator[], n: number, f: number, params: Params): number {
  let rows = n;
  let fixed = 1;
  let real = 0;
  for (const step of pre) {
    const shape = step.shape(rows, f, params);
    rows = shape.rows;
    if (shape.denominator === null) real += 1;
    else fixed *= shape.denominator;
  }
  let bits = FINEST_BITS;
  while (bits >= COARSEST_BITS && fixed * 2 ** (bits * real) > MOST_MIXED) bits -= 1;
  if (bits < COARSEST_BITS) throw tooFine(n, fixed * 2 ** (COARSEST_BITS * real));
  return 2 ** bits;
}
