import { describe, expect, test } from 'vitest';
import {
  pruneNetwork,
  type Step,
  sortingNetwork,
} from '../../../shared/aggregation/kernels/networks/sorting-network.ts';

/** Minima and maxima that steps take. */
const operations = (steps: readonly Step[]): number =>
  steps.reduce((sum, { keepsLow, keepsHigh }) => sum + Number(keepsLow) + Number(keepsHigh), 0);

const classes = (n: number, nameOf: (rank: number) => string | undefined): (string | undefined)[] =>
  Array.from({ length: n }, (_, rank) => nameOf(rank));

describe('a sorting network', () => {
  // Knuth, The Art of Computer Programming 3, 5.3.4: what sorts all zeros and ones sorts everything.
  test('sorts whatever is zeros and ones', () => {
    for (let n = 1; n <= 12; n += 1) {
      const { comparators, ranks } = sortingNetwork(n);
      for (let bits = 0; bits < 2 ** n; bits += 1) {
        const wires = Array.from({ length: n }, (_, wire) => (bits >> wire) & 1);
        for (const [low, high] of comparators) {
          const [a, b] = [wires[low] as number, wires[high] as number];
          wires[low] = Math.min(a, b);
          wires[high] = Math.max(a, b);
        }
        const sorted = ranks.map((wire) => wires[wire] as number);
        expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
      }
    }
  });

  test('costs what it did: a change of these numbers is a change of speed', () => {
    const sizes = [10, 20, 50, 100].map((n) => {
      const network = sortingNetwork(n);
      const f = n / 5;
      const median = pruneNetwork(
        network,
        classes(n, (rank) => (rank === n / 2 || rank === n / 2 - 1 ? 'middle' : undefined)),
      );
      const trimmed = pruneNetwork(
        network,
        classes(n, (rank) => (rank >= f && rank < n - f ? 'kept' : undefined)),
      );
      return { n, all: network.comparators.length, median: operations(median), trimmed: operations(trimmed) };
    });
    expect(sizes).toEqual([
      { n: 10, all: 31, median: 50, trimmed: 52 },
      { n: 20, all: 97, median: 142, trimmed: 160 },
      { n: 50, all: 395, median: 610, trimmed: 648 },
      { n: 100, all: 1077, median: 1678, trimmed: 1776 },
    ]);
  });

  test('that is asked for nothing, or for everything in any order, compares nothing', () => {
    const network = sortingNetwork(20);
    expect(
      pruneNetwork(
        network,
        classes(20, () => undefined),
      ),
    ).toEqual([]);
    expect(
      pruneNetwork(
        network,
        classes(20, () => 'all'),
      ),
    ).toEqual([]);
  });
});
