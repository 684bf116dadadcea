import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/bytes.ts';
import { buildTree, leafHash, TREE, verifyLeaf } from '../../../shared/commitments/merkle-tree.ts';
import {
  blockTree,
  int16Vector,
  int32Vector,
  joinParts,
  matrixLeaf,
  matrixTree,
  PART_BYTES,
  partCount,
  partRoot,
  partRoots,
  updateTree,
  vectorBytes,
} from '../../../shared/commitments/vector-trees.ts';

const MIB = 1 << 20;

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 131 + (at >> 8) * 17 + (at >> 16)) & 255);
}

describe('parts of an update', () => {
  const sizes = [
    1,
    2,
    4095,
    4096,
    4097,
    8191,
    8192,
    8193,
    12_288,
    MIB - 4097,
    MIB - 4096,
    MIB - 1,
    MIB,
    MIB + 1,
    MIB + 4096,
    MIB + 4097,
    2 * MIB - 1,
    2 * MIB,
    2 * MIB + 1,
    2 * MIB + 8192,
    3 * MIB,
    3 * MIB + 5,
  ];

  it.each(sizes)('of %i bytes, hashed one by one, join to the root of the whole', (size) => {
    const bytes = patterned(size);
    const whole = updateTree(bytes);
    const count = partCount(size);
    expect(count).toBe(Math.ceil(size / MIB));
    const expected = partRoots(whole);
    expect(expected.length).toBe(count);
    const alone = Array.from({ length: count }, (_, part) =>
      partRoot(bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES), count === 1),
    );
    expect(alone.map(toHex)).toEqual(expected.map(toHex));
    expect(toHex(joinParts(alone))).toBe(toHex(whole.root));
  });

  it('notice a flipped bit, a lost byte and an exchange of two parts', () => {
    const bytes = patterned(2 * MIB + 4097);
    const roots = partRoots(updateTree(bytes));
    const last = bytes.slice(2 * MIB);
    last[4096] = (last[4096] as number) ^ 1;
    expect(toHex(partRoot(last, false))).not.toBe(toHex(roots[2] as Uint8Array));
    expect(toHex(partRoot(bytes.subarray(2 * MIB, 2 * MIB + 4096), false))).not.toBe(toHex(roots[2] as Uint8Array));
    const [a, b, c] = roots as [Uint8Array, Uint8Array, Uint8Array];
    expect(toHex(joinParts([b, a, c]))).not.toBe(toHex(joinParts([a, b, c])));
  });

  it('are leaves of 4 KiB, each provable alone', () => {
    const bytes = patterned(3 * 4096 + 7);
    const tree = updateTree(bytes);
    expect(tree.level(0).length).toBe(4);
    for (let leaf = 0; leaf < 4; leaf++) {
      const slice = bytes.subarray(leaf * 4096, (leaf + 1) * 4096);
      expect(verifyLeaf(TREE.update, tree.root, leaf, slice, tree.proof(leaf))).toBe(true);
    }
  });
});

describe('matrix tree', () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }))
    .chain(([n, blocks]) =>
      fc.array(fc.int16Array({ minLength: blocks * 64, maxLength: blocks * 64 }), { minLength: n, maxLength: n }),
    );

  it('has in leaf l the block l of every row, in participant order, little-endian', () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const blocks = (rows[0] as Int16Array).length / 64;
        for (let block = 0; block < blocks; block++) {
          const expected = Buffer.alloc(rows.length * 128);
          rows.forEach((row, i) => {
            for (let at = 0; at < 64; at++) expected.writeInt16LE(row[block * 64 + at] as number, (i * 64 + at) * 2);
          });
          expect(toHex(matrixLeaf(rows, block))).toBe(toHex(expected));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('opens every leaf and changes with any coordinate of any row and with the order of rows', () => {
    fc.assert(
      fc.property(matrix, fc.nat(), fc.nat(), (rows, pickRow, pickAt) => {
        const tree = matrixTree(rows);
        const blocks = (rows[0] as Int16Array).length / 64;
        for (let block = 0; block < blocks; block++) {
          expect(verifyLeaf(TREE.matrix, tree.root, block, matrixLeaf(rows, block), tree.proof(block))).toBe(true);
        }
        const row = pickRow % rows.length;
        const tampered = rows.map((values) => values.slice());
        const at = pickAt % (blocks * 64);
        (tampered[row] as Int16Array)[at] = ~((tampered[row] as Int16Array)[at] as number);
        expect(toHex(matrixTree(tampered).root)).not.toBe(toHex(tree.root));
      }),
      { numRuns: 30 },
    );
  });
});

describe('block tree', () => {
  it('has one leaf of 256 little-endian bytes a block', () => {
    const vector = Int32Array.from({ length: 192 }, (_, at) => (at - 96) * 7_654_321);
    const bytes = Buffer.alloc(768);
    vector.forEach((value, at) => {
      bytes.writeInt32LE(value, at * 4);
    });
    const leaves = [0, 1, 2].map((block) => leafHash(TREE.model, bytes.subarray(block * 256, (block + 1) * 256)));
    expect(toHex(blockTree(TREE.model, vector).root)).toBe(toHex(buildTree(TREE.model, leaves).root));
    expect(toHex(blockTree(TREE.aggregate, vector).root)).not.toBe(toHex(blockTree(TREE.model, vector).root));
  });
});

describe('views of vectors', () => {
  it('give the values back from bytes at any alignment, from a Uint8Array or a Buffer', () => {
    const values16 = Int16Array.of(1, -2, 32767, -32768, 0);
    const values32 = Int32Array.of(1, -2, 2 ** 31 - 1, -(2 ** 31), 0);
    for (let offset = 0; offset < 5; offset++) {
      for (const make of [(size: number) => new Uint8Array(size), (size: number) => Buffer.alloc(size)]) {
        const room16 = make(32).subarray(offset, offset + 10);
        room16.set(vectorBytes(values16));
        expect(int16Vector(room16)).toEqual(values16);
        const room32 = make(32).subarray(offset, offset + 20);
        room32.set(vectorBytes(values32));
        expect(int32Vector(room32)).toEqual(values32);
      }
    }
  });

  it('share memory where alignment allows', () => {
    const vector = Int16Array.of(1, 2);
    const bytes = vectorBytes(vector.subarray(1));
    expect([...bytes]).toEqual([2, 0]);
    bytes[0] = 9;
    expect(vector[1]).toBe(9);
    expect(int16Vector(bytes).buffer).toBe(vector.buffer);
  });
});
