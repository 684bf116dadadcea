import { AggregationError } from './aggregation-error.ts';
import { rankAscending } from './squared-distances.ts';

/**
 * Divides a total among shares by largest remainder (Hamilton's method): each gets the whole part of its due, and what
 * is left goes, one each, to the largest remainders, ties by lowest index.
 *
 * A zero share gets nothing: fewer units are left over than there are remainders above zero.
 *
 * @param shares - non-negative
 * @param total - non-negative, what is divided
 * @returns one amount a share, summing to the total exactly; all zero when every share is zero
 * @throws AggregationError `aggregation/negative-share`
 */
export function apportion(shares: readonly bigint[], total: bigint): bigint[] {
  if (total < 0n || shares.some((share) => share < 0n)) {
    throw new AggregationError('aggregation/negative-share', 'shares and their total must not be negative', {
      total: total.toString(),
      shares: shares.map((share) => share.toString()),
    });
  }
  const sum = shares.reduce((left, right) => left + right, 0n);
  if (sum === 0n) return shares.map(() => 0n);
  const amounts = shares.map((share) => (share * total) / sum);
  const remainders = shares.map((share) => (share * total) % sum);
  const left = Number(total - amounts.reduce((a, b) => a + b, 0n));
  const largestFirst = rankAscending(remainders, (a, b) => (a > b ? -1 : a < b ? 1 : 0));
  for (const index of largestFirst.slice(0, left)) amounts[index] = (amounts[index] as bigint) + 1n;
  return amounts;
}
