import type { Hex } from '../../shared/bytes.ts';

/**
 * Participants with one more among them. Who comes mostly is there already, and a crowd is not sorted again for each.
 *
 * @param present - ascending
 * @returns the same list if it is in it already
 */
export function withOneMore(present: readonly Hex[], participant: Hex): readonly Hex[] {
  let from = 0;
  for (let to = present.length; from < to; ) {
    const middle = (from + to) >> 1;
    if ((present[middle] as Hex) < participant) from = middle + 1;
    else to = middle;
  }
  return present[from] === participant ? present : [...present.slice(0, from), participant, ...present.slice(from)];
}
