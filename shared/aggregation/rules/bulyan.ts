import { selectByKrum } from '../krum-elimination.ts';
import type { SelectingRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { squaredDistances } from '../squared-distances.ts';
import { meamed } from './meamed.ts';

/**
 * Bulyan: n - 2f updates are selected one after the other, each by Krum among those left (the r - f - 2 smallest squared
 * distances of r left; ties by lowest index), so that none is selected twice; then at each coordinate the n - 4f values
 * nearest the median of the selected are averaged, the smaller of two equally far.
 *
 * Requires 4f + 3 <= n. O(n^2 d) for the Gram matrix, O(n^2 log n) on it, O(d n log n) for the coordinates.
 * Source: El Mhamdi, Guerraoui and Rouault, "The hidden vulnerability of distributed learning in Byzantium", ICML 2018.
 */
export const bulyan: SelectingRule = {
  name: 'Bulyan',
  aliases: [],
  summary: 'repeated Krum, then the mean around the median of the selected',
  bound: '4f + 3 <= n',
  family: 'gram',
  sees: 'both',
  guarantee: 'recomputable by anyone',
  parameters: [],
  validate: (n, f) => refuseBeyond('Bulyan', n, f, Math.floor((n - 3) / 4)),
  selected: (n, f) => n - 2 * f,
  select: ({ gram, f, scalar }) => selectByKrum(squaredDistances(gram, scalar), f, gram.length - 2 * f, scalar),
  // The n - 4f of n - 2f values nearest their median: the mean around the median with 2f left out.
  step: meamed,
  stepFaulty: (f) => 2 * f,
};
