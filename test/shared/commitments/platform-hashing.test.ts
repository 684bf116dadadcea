import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256Digest } from '../../../shared/commitments/hashing.ts';
import { buildTree, leafHash, nodeHash, TREE, verifyLeaf } from '../../../shared/commitments/merkle-tree.ts';
import { usePlatformHashing } from '../../../shared/runtime/platform-hashing.ts';

beforeAll(usePlatformHashing);

const bytes = fc.uint8Array({ maxLength: 600 });

describe('hashing by the platform', () => {
  test('gives the digests of the portable implementation', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect([...sha256Digest(data)]).toEqual([...sha256(data)]);
      }),
    );
  });

  test('a leaf and a node depend on what they are given alone, whatever was hashed before them', () => {
    const kept: [Uint8Array, number[]][] = [];
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 2, maxLength: 6 }), (list) => {
        for (const data of list) {
          const leaf = leafHash(TREE.update, data);
          expect([...leaf]).toEqual([...sha256(Uint8Array.of(TREE.update, 0, ...data))]);
          const [left, right] = [leaf, list[0] as Uint8Array];
          const node = nodeHash(TREE.update, 3, left, right);
          expect([...node]).toEqual([...sha256(Uint8Array.of(TREE.update, 3, ...left, ...right))]);
          kept.push([node, [...node]]);
        }
      }),
      { numRuns: 50 },
    );
    // Digests given out do not change when more is hashed.
    for (const [digest, was] of kept) expect([...digest]).toEqual(was);
  });

  test('a proof with a sibling of another length never holds', () => {
    const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
    const tree = buildTree(
      TREE.update,
      [first, second].map((leaf) => leafHash(TREE.update, leaf)),
    );
    const sibling = leafHash(TREE.update, second);
    expect(verifyLeaf(TREE.update, tree.root, 0, first, [sibling])).toBe(true);
    for (const length of [0, 31, 33, 64]) {
      const odd = new Uint8Array(length);
      odd.set(sibling.subarray(0, length));
      expect(verifyLeaf(TREE.update, tree.root, 0, first, [odd])).toBe(false);
    }
  });
});
