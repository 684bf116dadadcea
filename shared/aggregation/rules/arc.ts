import { shorten } from '../mixing.ts';
import type { PreAggregator } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';
import { rankAscending } from '../squared-distances.ts';

/**
 * Adaptive robust clipping: the `k = floor(2 f (n - f) / n)` longest updates are shortened to the norm of the longest of
 * the others; ties by lowest index.
 *
 * Requires 2f < n. O(nd) for the norms. No scale changes it. Over integers the factors are rounded once, to as many binary
 * places as leave every later sum exact. Updates are not overwritten.
 * Source: Allouah et al., "Adaptive gradient clipping for robust federated learning", ICLR 2025 (arXiv:2405.14432).
 */
export const arc: PreAggregator = {
  name: 'ARC',
  aliases: ['adaptive-robust-clipping'],
  summary: 'the longest updates are shortened to the norm of the longest of the others',
  bound: '2f < n',
  guarantee: 'recomputable by anyone',
  parameters: [],
  validate: (n, f) => refuseBeyond('ARC', n, f, Math.ceil(n / 2) - 1),
  shape: (n) => ({ rows: n, denominator: null }),
  mix: ({ gram, f, scalar, grain }) => {
    const n = gram.length;
    const squares = gram.map((row, i) => row[i] as (typeof row)[number]);
    const order = rankAscending(squares, scalar.compare);
    const kept = n - Math.floor((2 * f * (n - f)) / n);
    const limit = Math.sqrt(scalar.toNumber(squares[order[kept - 1] as number] as (typeof squares)[number]));
    const factors = squares.map(() => 1);
    for (const index of order.slice(kept)) {
      const norm = Math.sqrt(scalar.toNumber(squares[index] as (typeof squares)[number]));
      if (norm > limit) factors[index] = limit / norm;
    }
    return shorten(factors, grain);
  },
};
