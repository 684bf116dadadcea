import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes.ts';
import { partRoots, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { updateFamily } from '../../../simulations/bench/updates.ts';

const ONE_PART = 4096;
const THREE_PARTS = 2 ** 20 + 640;

describe('a family of updates', () => {
  test.each([64, ONE_PART, THREE_PARTS])('offers and states what its %i coordinates really are', (dimension) => {
    const update = updateFamily(dimension, dimension - 3, 5)(17);
    const vector = update.vector();
    const bytes = vectorBytes(vector);
    const tree = updateTree(bytes);
    expect(update.updateRoot).toBe(toHex(tree.root));
    expect(update.partRoots).toEqual(partRoots(tree).map(toHex));
    expect(update.byteLength).toBe(bytes.length);
    expect(update.largestMagnitude).toBe(largestMagnitude(vector));
    expect([...vector.subarray(-3)]).toEqual([0, 0, 0]);
    const joined = Buffer.concat(update.partRoots.map((_, part) => update.part(part)));
    expect(Buffer.compare(joined, bytes)).toBe(0);
  });

  test('has no two members alike, nor two families', () => {
    const family = updateFamily(THREE_PARTS, THREE_PARTS, 5);
    const other = updateFamily(THREE_PARTS, THREE_PARTS, 6);
    const roots = [family(0), family(1), family(8001), family(8002), other(0)].map(({ updateRoot }) => updateRoot);
    expect(new Set(roots).size).toBe(roots.length);
    expect(family(1).updateRoot).toBe(roots[1]);
  });
});
