import { roundDivBig } from '../fixed-point/round-div.ts';
import { apportion } from './apportion.ts';
import { MOST_DENOMINATOR } from './reduction.ts';
import type { CoordinateRule, Mixing } from './rule.ts';

/**
 * A mixture that a coordinate rule can be run on exactly, as near to the given one as a power of two allows: what a row's
 * entries sum to is rounded once, and divided among them by largest remainder. One that fits is left as it is.
 *
 * @param f - as the rule will be run with
 */
export function coarsenFor(rule: CoordinateRule, f: number, mixing: Mixing): Mixing {
  const most = MOST_DENOMINATOR / rule.denominator(mixing.entries.length, f);
  if (mixing.denominator <= most) return mixing;
  let denominator = 1;
  while (2 * denominator <= most) denominator *= 2;
  const entries = mixing.entries.map((row) => {
    const parts = row.map(BigInt);
    const sum = parts.reduce((total, part) => total + part, 0n);
    return apportion(parts, roundDivBig(sum * BigInt(denominator), BigInt(mixing.denominator))).map(Number);
  });
  return { entries, denominator };
}
