import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes.ts';
import {
  buildTree,
  leafHash,
  MerkleError,
  nodeHash,
  PADDING,
  paddingAt,
  TREE,
  type TreeKind,
  verifyLeaf,
} from '../../../shared/commitments/merkle-tree.ts';

const kinds = Object.values(TREE);
const kind = fc.constantFrom(...kinds);
const leavesOf = (count: number) => fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: count });

function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
}

/** Root over leaves [from, from + width), by recursion from the top: written without a look at the implementation. */
function naiveRoot(tag: number, data: readonly Uint8Array[], from: number, level: number): Uint8Array {
  if (level === 0) {
    const leaf = data[from];
    return leaf === undefined ? new Uint8Array(32) : sha256(Uint8Array.of(tag, 0), leaf);
  }
  const half = 2 ** (level - 1);
  return sha256(
    Uint8Array.of(tag, level),
    naiveRoot(tag, data, from, level - 1),
    naiveRoot(tag, data, from + half, level - 1),
  );
}

function build(tag: TreeKind, data: readonly Uint8Array[]) {
  return buildTree(
    tag,
    data.map((leaf) => leafHash(tag, leaf)),
  );
}

describe('buildTree', () => {
  it('has the root of an independent recursion, padded to a power of two', () => {
    fc.assert(
      fc.property(kind, leavesOf(70), (tag, data) => {
        const depth = Math.ceil(Math.log2(data.length));
        const tree = build(tag, data);
        expect(tree.depth).toBe(depth);
        expect(tree.root).toEqual(naiveRoot(tag, data, 0, depth));
      }),
    );
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257])('agrees with it for %i leaves', (count) => {
    const data = Array.from({ length: count }, (_, index) => Uint8Array.of(index & 255, index >> 8));
    expect(build(TREE.model, data).root).toEqual(naiveRoot(TREE.model, data, 0, Math.ceil(Math.log2(count))));
  });

  it('joins subtrees of equal height into the tree of all leaves', () => {
    fc.assert(
      fc.property(kind, leavesOf(60), fc.integer({ min: 0, max: 3 }), (tag, data, height) => {
        const whole = build(tag, data);
        fc.pre(whole.depth >= height);
        expect(buildTree(tag, whole.level(height), height).root).toEqual(whole.root);
      }),
    );
  });

  it('has no tree of nothing', () => {
    expect(() => buildTree(TREE.model, [])).toThrow(MerkleError);
  });

  it('never lets a tree of one kind, or of fewer leaves, pass for another', () => {
    const data = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    const roots = kinds.flatMap((tag) => [1, 2, 3].map((count) => toHex(build(tag, data.slice(0, count)).root)));
    expect(new Set(roots).size).toBe(3 * kinds.length);
  });

  it('has a tag of its own for every kind', () => {
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});

describe('proofs', () => {
  it('verify for every leaf and are as long as the tree is deep', () => {
    fc.assert(
      fc.property(kind, leavesOf(40), (tag, data) => {
        const tree = build(tag, data);
        data.forEach((leaf, index) => {
          const proof = tree.proof(index);
          expect(proof.length).toBe(tree.depth);
          expect(verifyLeaf(tag, tree.root, index, leaf, proof)).toBe(true);
        });
      }),
    );
  });

  it('fail for another leaf, index, kind, root, sibling, length or order', () => {
    const distinct = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 20 }), {
      minLength: 3,
      maxLength: 40,
      selector: (bytes) => bytes.join(),
    });
    fc.assert(
      fc.property(distinct, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (data, pick, other, flip) => {
        const tag = TREE.matrix;
        const tree = build(tag, data);
        const index = pick % data.length;
        const leaf = data[index] as Uint8Array;
        const proof = tree.proof(index);
        const changed = (bytes: Uint8Array) => {
          const copy = Uint8Array.from(bytes);
          copy[other % copy.length] = (copy[other % copy.length] as number) ^ flip;
          return copy;
        };
        const swap = other % proof.length;
        const wrongIndex = (index + 1 + (other % (2 ** tree.depth - 1))) % 2 ** tree.depth;
        const refused = [
          verifyLeaf(tag, tree.root, index, changed(leaf), proof),
          verifyLeaf(tag, tree.root, index, leaf.subarray(0, leaf.length - 1), proof),
          verifyLeaf(tag, tree.root, wrongIndex, leaf, proof),
          verifyLeaf(TREE.gram, tree.root, index, leaf, proof),
          verifyLeaf(tag, changed(tree.root), index, leaf, proof),
          verifyLeaf(
            tag,
            tree.root,
            index,
            leaf,
            proof.map((node, at) => (at === swap ? changed(node) : node)),
          ),
          verifyLeaf(tag, tree.root, index, leaf, proof.slice(1)),
          verifyLeaf(tag, tree.root, index, leaf, proof.slice(0, -1)),
          verifyLeaf(tag, tree.root, index, leaf, [...proof, paddingAt(tag, tree.depth)]),
          verifyLeaf(tag, tree.root, index, leaf, [...proof].reverse().concat(PADDING)),
        ];
        expect(refused).toEqual(refused.map(() => false));
      }),
    );
  });

  it('fail for an index that is no position of the tree', () => {
    const data = [Uint8Array.of(1), Uint8Array.of(2)];
    const tree = build(TREE.model, data);
    for (const index of [-1, 2, 4, 0.5, Number.NaN, Infinity]) {
      expect(verifyLeaf(TREE.model, tree.root, index, data[0] as Uint8Array, tree.proof(0))).toBe(false);
    }
  });

  it('exist only for leaves that are there', () => {
    const tree = build(TREE.model, [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    for (const index of [-1, 3, 1.5, Number.NaN]) expect(() => tree.proof(index)).toThrow(MerkleError);
  });

  it('cannot open an inner node as a leaf, nor the padding', () => {
    const data = [1, 2, 3].map((value) => Uint8Array.of(value));
    const tree = build(TREE.model, data);
    const [left, right] = tree.level(1) as [Uint8Array, Uint8Array];
    const [a, b] = tree.level(0) as [Uint8Array, Uint8Array];
    expect(verifyLeaf(TREE.model, tree.root, 0, Buffer.concat([a, b]), [right])).toBe(false);
    expect(verifyLeaf(TREE.model, tree.root, 3, PADDING, [tree.level(0)[2] as Uint8Array, left])).toBe(false);
    expect(verifyLeaf(TREE.model, tree.root, 3, new Uint8Array(0), [tree.level(0)[2] as Uint8Array, left])).toBe(false);
  });
});

describe('hashes', () => {
  it('are SHA-256 of kind, level and content', () => {
    const left = new Uint8Array(32).fill(1);
    const right = new Uint8Array(32).fill(2);
    expect(leafHash(TREE.update, Uint8Array.of(9))).toEqual(sha256(Uint8Array.of(1, 0, 9)));
    expect(nodeHash(TREE.gram, 3, left, right)).toEqual(sha256(Uint8Array.of(7, 3), left, right));
  });

  it('keep to a value worked out once and for all', () => {
    const data = ['0x', '0x00', '0xffff'].map((hex) => fromHex(hex));
    expect(toHex(build(TREE.update, data).root)).toBe(
      toHex(
        sha256(
          fromHex('0x0102'),
          sha256(fromHex('0x0101'), sha256(fromHex('0x0100')), sha256(fromHex('0x010000'))),
          sha256(fromHex('0x0101'), sha256(fromHex('0x0100ffff')), new Uint8Array(32)),
        ),
      ),
    );
  });
});
