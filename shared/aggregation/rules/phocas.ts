import { nearestWindow, sumWindow } from '../nearest-window.ts';
import type { CoordinateRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { sortAscending } from '../sort-ascending.ts';

/**
 * Phocas: at each coordinate the mean of the n - f values nearest the f-trimmed mean. Of two values equally far the
 * smaller is taken.
 *
 * Requires 2f < n. Breakdown point f/n; O(d n log n). Integers compare `(n - 2f) x` with the sum of the n - 2f kept
 * values, so nothing is rounded before the mean.
 * Source: Xie, Koyejo and Gupta, "Phocas: dimensional Byzantine-resilient stochastic gradient descent", 2018
 * (arXiv:1805.09682).
 */
export const phocas: CoordinateRule = {
  name: 'Phocas',
  aliases: [],
  summary: 'mean of the n - f values nearest the trimmed mean of each coordinate',
  bound: '2f < n',
  family: 'coordinate',
  sees: 'values',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('Phocas', n, f, Math.ceil(n / 2) - 1),
  denominator: (n, f) => n - f,
  reduce: (values, n, f) => {
    sortAscending(values);
    const kept = n - 2 * f;
    return sumWindow(values, nearestWindow(values, n, n - f, kept, sumWindow(values, f, kept)), n - f);
  },
};
