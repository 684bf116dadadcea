import { integerSqrt } from '../fixed-point/integer-sqrt.ts';
import { alignmentOf } from './alignment.ts';
import { lowerMedian } from './lower-median.ts';
import { payCopiesOnce } from './near-copies.ts';
import type { Matrix } from './rule.ts';

/** The ways to score updates; a manifest that names none means the first, which is what there was before there were two. */
export const SCORE_METHODS = ['alignment', 'confirmation'] as const;

/** A way to score updates. */
export type ScoreMethod = (typeof SCORE_METHODS)[number];

/**
 * What each update contributed, in exact integers.
 *
 * @param gram - (n+1) x (n+1) exact inner products, the last row and column the aggregate's, as `gramMatrix` gives them
 * @param active - whether each of the n updates had a part in the aggregate
 * @param method - the way to score
 * @returns n scores, not negative; their unit depends on the method
 * @throws AggregationError `aggregation/mixed-lengths`
 */
export function scores(gram: Matrix<bigint>, active: readonly boolean[], method: ScoreMethod): bigint[] {
  return method === 'alignment' ? alignmentScores(gram, active) : confirmationScores(gram, active);
}

/**
 * `clamp(<q_i, a>, 0, 2 <a, a>)` in squared aggregate units, for rows with a part in the aggregate that lie no farther from
 * it than twice the median row, 0 for the others.
 *
 * Going against the aggregate earns nothing, and shouting louder than it twice over earns no more. The distance is there
 * because the direction alone can be fooled: a coordinate rule trims the attacker's `-tau h` and with it the honest value
 * at the other end, which turns the aggregate against `h` once the honest agree little, until `<-tau h, a>` is positive
 * and, being loud, at its cap.
 */
function alignmentScores(gram: Matrix<bigint>, active: readonly boolean[]): bigint[] {
  const { along, own, isNear } = alignmentOf(gram, active);
  return along.map((inner, i) => {
    if (!isNear[i] || inner < 0n) return 0n;
    return inner > 2n * own ? 2n * own : inner;
  });
}

/**
 * As far as the others confirm it: the lower median of `<q_i, q_j>` over all other updates j, in squared update units, for
 * rows with a part in the aggregate that point along it (`<q_i, a> > 0`) and lie no farther from it than twice the median
 * row; 0 for the others, and where that median is negative. An update longer than the median row, of squared length M (the
 * lower median of all), counts as one of its length: its score is times `M / floor(sqrt(M <q_i, q_i>))`, rounded down.
 * Near-copies share, as `payCopiesOnce` says. An update that is alone is confirmed by itself.
 *
 * - Not `<q_i, a>`: an update is a part of the aggregate, and where n honest updates are nearly at right angles most of that
 *   product is what it has put in itself. Noise was paid half as much as an honest client.
 * - The others' median, not their sum or mean: a friend who sends much the same would confirm as much as several honest
 *   clients do.
 */
function confirmationScores(gram: Matrix<bigint>, active: readonly boolean[]): bigint[] {
  const n = active.length;
  const { along, isNear } = alignmentOf(gram, active);
  const squares = active.map((_, i) => gram[i]?.[i] as bigint);
  const typical = lowerMedian(squares);
  const confirmed = squares.map((square, i) => {
    if (!isNear[i] || (along[i] as bigint) <= 0n) return 0n;
    const products = (gram[i] as readonly bigint[]).slice(0, n);
    const peers = lowerMedian(n === 1 ? products : products.filter((_, j) => j !== i));
    if (peers <= 0n) return 0n;
    return square > typical ? (peers * typical) / integerSqrt(typical * square) : peers;
  });
  return payCopiesOnce(gram, confirmed);
}
