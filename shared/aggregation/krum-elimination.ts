import type { Matrix } from './rule.ts';
import type { Scalar } from './scalar.ts';
import { rankAscending } from './squared-distances.ts';

/** One update's neighbours among those left, nearest first, and the sum over the ones that count. */
interface Neighbourhood<T> {
  /** All others by distance. */
  readonly order: readonly number[];
  /** How far into the order neighbours count: `order[end - 1]` is the last that does and is left. */
  end: number;
  /** Sum of the distances that count. */
  sum: T;
}

/**
 * Selects updates by Krum one after the other, each among those left: the smallest sum of the r - f - 2 smallest squared
 * distances to others of r left, ties by lowest index.
 *
 * With every selection one neighbour fewer counts: the one selected where it did count, else the farthest that did. So the
 * sums are kept and lessened rather than taken anew: O(n^2) after sorting.
 *
 * @param distances - n x n squared distances
 * @param count - how many are selected
 * @returns their positions in the order of selection
 */
export function selectByKrum<T>(distances: Matrix<T>, f: number, count: number, scalar: Scalar<T>): number[] {
  const n = distances.length;
  const left = new Set(distances.map((_, index) => index));
  const hoods = distances.map((row, i): Neighbourhood<T> => {
    const order = rankAscending(row, scalar.compare).filter((j) => j !== i);
    const end = Math.max(0, n - f - 2);
    const sum = order.slice(0, end).reduce((total, j) => scalar.add(total, row[j] as T), scalar.zero);
    return { order, end, sum };
  });
  const selected: number[] = [];
  while (selected.length < count) {
    const open = [...left];
    const sums = open.map((i) => (hoods[i] as Neighbourhood<T>).sum);
    const next = open[rankAscending(sums, scalar.compare)[0] as number] as number;
    selected.push(next);
    left.delete(next);
    for (const i of left) lessen(hoods[i] as Neighbourhood<T>, next, left, distances[i] as readonly T[], scalar);
  }
  return selected;
}

function lessen<T>(
  hood: Neighbourhood<T>,
  gone: number,
  left: ReadonlySet<number>,
  row: readonly T[],
  scalar: Scalar<T>,
): void {
  if (hood.end === 0) return;
  const at = hood.order.indexOf(gone);
  const dropped = at < hood.end ? gone : (hood.order[hood.end - 1] as number);
  hood.sum = scalar.sub(hood.sum, row[dropped] as T);
  if (dropped !== gone) hood.end -= 1;
  while (hood.end > 0 && !left.has(hood.order[hood.end - 1] as number)) hood.end -= 1;
}
