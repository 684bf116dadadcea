import type { Matrix } from './rule.ts';
import { coverWithin } from './vertex-cover.ts';

/**
 * The n - f positions whose largest mutual distance is smallest; of several such sets the first in lexicographic order.
 *
 * A set of diameter at most t is what is left of all positions when, of every pair farther apart than t, one has gone: a
 * vertex cover of the graph of such pairs, of f vertices at most. The distances that occur are searched by halving.
 *
 * @param distances - n x n, symmetric
 * @param compare - negative when a < b, zero when equal, positive when a > b
 * @returns positions in ascending order
 */
export function smallestDiameter<T>(distances: Matrix<T>, f: number, compare: (a: T, b: T) => number): number[] {
  const n = distances.length;
  const inOrder = distances.flatMap((row, i) => row.slice(0, i)).sort(compare);
  const farther = (limit: T | undefined): boolean[][] =>
    distances.map((row) => row.map((distance) => limit === undefined || compare(distance, limit) > 0));
  let [low, high] = [0, inOrder.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (coverWithin(farther(inOrder[middle]), f)) high = middle;
    else low = middle + 1;
  }
  return firstSet(inOrder.length === 0 ? [[false]] : farther(inOrder[low]), n - f);
}

/** The lexicographically first `count` positions with no two of them far, when there are such. */
function firstSet(far: Matrix<boolean>, count: number): number[] {
  const chosen: number[] = [];
  let open = far.map((_, index) => index);
  while (chosen.length < count) {
    const next = open[0] as number;
    const compatible = open.slice(1).filter((other) => !far[next]?.[other]);
    const wanted = count - chosen.length - 1;
    const among = compatible.map((i) => compatible.map((j) => far[i]?.[j] as boolean));
    if (compatible.length >= wanted && coverWithin(among, compatible.length - wanted)) {
      chosen.push(next);
      open = compatible;
    } else {
      open = open.slice(1);
    }
  }
  return chosen;
}
