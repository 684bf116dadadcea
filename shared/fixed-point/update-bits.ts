import { MAX_UPDATE } from './constants.ts';

/** Range of scales that a plan may carry. */
export const UPDATE_BITS_RANGE = { least: 0, most: 30 } as const;

/**
 * The scale of the next round: as fine as leaves a factor of 2 between the median participant's largest magnitude and
 * the limit. A median, because f liars cannot move it out of the range of the honest; magnitudes are checked against
 * the updates themselves.
 *
 * @param current - the round's own scale
 * @param magnitudes - largest magnitude of each admitted update, in units of 2^-current
 * @returns binary places for the next round, within {@link UPDATE_BITS_RANGE}
 */
export function nextUpdateBits(current: number, magnitudes: readonly number[]): number {
  const median = [...magnitudes].sort((a, b) => a - b)[Math.floor(magnitudes.length / 2)] ?? 0;
  if (median === 0) return current;
  let bits = current;
  let reach = 2 * median;
  for (; reach > MAX_UPDATE && bits > UPDATE_BITS_RANGE.least; reach /= 2) bits--;
  for (; 2 * reach <= MAX_UPDATE && bits < UPDATE_BITS_RANGE.most; reach *= 2) bits++;
  return bits;
}
