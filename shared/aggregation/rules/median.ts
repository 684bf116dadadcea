import type { CoordinateRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { sortAscending } from '../sort-ascending.ts';

/**
 * Coordinate-wise median: the middle value of each coordinate, or the mean of the two middle ones when n is even.
 *
 * f only sets what is refused: 2f < n. Breakdown point 1/2; O(d n log n); ties cannot matter.
 * Source: Yin et al., "Byzantine-robust distributed learning: towards optimal statistical rates", ICML 2018.
 */
export const median: CoordinateRule = {
  name: 'Median',
  aliases: [],
  summary: 'middle value of each coordinate',
  bound: '2f < n',
  family: 'coordinate',
  sees: 'values',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('Median', n, f, Math.ceil(n / 2) - 1),
  denominator: (n) => (n % 2 === 0 ? 2 : 1),
  reduce: (values, n) => {
    sortAscending(values);
    const upper = values[Math.floor(n / 2)] as number;
    return n % 2 === 0 ? (values[n / 2 - 1] as number) + upper : upper;
  },
};
