import { nearestWindow, sumWindow } from '../nearest-window.ts';
import type { CoordinateRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { sortAscending } from '../sort-ascending.ts';

/**
 * Mean around median: at each coordinate the mean of the n - f values nearest the median, which for an even n is the
 * mean of the two middle values. Of two values equally far the smaller is taken.
 *
 * Requires 2f < n. Breakdown point f/n; O(d n log n). Integers compare doubled values with the doubled median, so nothing
 * is rounded before the mean.
 * Source: Xie, Koyejo and Gupta, "Generalized Byzantine-tolerant SGD", 2018 (arXiv:1802.10116), "mean-around-median".
 */
export const meamed: CoordinateRule = {
  name: 'Meamed',
  aliases: ['mean-around-median'],
  summary: 'mean of the n - f values nearest the median of each coordinate',
  bound: '2f < n',
  family: 'coordinate',
  sees: 'values',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('Meamed', n, f, Math.ceil(n / 2) - 1),
  denominator: (n, f) => n - f,
  reduce: (values, n, f) => {
    sortAscending(values);
    const doubledMedian = (values[Math.floor((n - 1) / 2)] as number) + (values[Math.floor(n / 2)] as number);
    return sumWindow(values, nearestWindow(values, n, n - f, 2, doubledMedian), n - f);
  },
};
