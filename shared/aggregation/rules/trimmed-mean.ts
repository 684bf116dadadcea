import type { CoordinateRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { sortAscending } from '../sort-ascending.ts';

/**
 * Coordinate-wise trimmed mean: the f smallest and the f largest values of each coordinate are dropped and the mean of
 * the other n - 2f taken.
 *
 * Requires 2f < n. Breakdown point f/n; O(d n log n); ties cannot matter.
 * Source: Yin et al., "Byzantine-robust distributed learning: towards optimal statistical rates", ICML 2018.
 */
export const trimmedMean: CoordinateRule = {
  name: 'TrMean',
  aliases: ['trimmed-mean'],
  summary: 'mean of each coordinate without its f smallest and f largest values',
  bound: '2f < n',
  family: 'coordinate',
  sees: 'values',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('TrMean', n, f, Math.ceil(n / 2) - 1),
  denominator: (n, f) => n - 2 * f,
  reduce: (values, n, f) => {
    sortAscending(values);
    let sum = 0;
    for (let i = f; i < n - f; i += 1) sum += values[i] as number;
    return sum;
  },
};
