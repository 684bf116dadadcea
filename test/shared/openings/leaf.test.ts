import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes.ts';
import { buildTree, PADDING, TREE, type TreeKind, verifyLeaf } from '../../../shared/commitments/merkle-tree.ts';
import {
  blockTree,
  matrixLeaf,
  matrixTree,
  updateTree,
  vectorBytes,
} from '../../../shared/commitments/vector-trees.ts';
import {
  type Leaf,
  matrixData,
  matrixTreeOf,
  openMatrix,
  openUpdate,
  openVector,
  proofAt,
} from '../../../shared/openings/leaf.ts';
import { memoryBlocks, type UpdateBlocks } from '../../../shared/openings/round-view.ts';
import { createRng } from '../../../shared/rng.ts';
import { openUpdateBlocks } from '../../../shared/runtime/update-blocks.ts';

const rowsOf = (n: number, blocks: number, seed: number): Int16Array[] => {
  const rng = createRng(seed, 'rows');
  return Array.from({ length: n }, () => Int16Array.from({ length: blocks * 64 }, () => rng.below(16_383) - 8191));
};

const stands = (kind: TreeKind, root: Uint8Array, index: number, { data, proof }: Leaf): boolean =>
  verifyLeaf(
    kind,
    root,
    index,
    data,
    proof.map((sibling) => fromHex(sibling, 32)),
  );

/** n updates, their blocks, and one of these. */
const cases = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 90 }), fc.nat(), fc.nat())
  .map(([n, blocks, block, seed]) => ({ n, blocks, block: block % blocks, rows: rowsOf(n, blocks, seed) }));

describe('leaves', () => {
  it('open to the roots that rounds commit to', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ n, block, rows }) => {
        const updates = memoryBlocks(rows);
        const matrix = await openMatrix(updates, block);
        expect(matrix.data).toEqual(matrixLeaf(rows, block));
        expect(stands(TREE.matrix, matrixTree(rows).root, block, matrix)).toBe(true);
        const row = block % n;
        const bytes = vectorBytes(rows[row] as Int16Array);
        const update = await openUpdate(updates, row, block);
        expect(stands(TREE.update, updateTree(bytes).root, Math.floor(block / 32), update)).toBe(true);
        expect(update.data).toEqual(bytes.slice(Math.floor(block / 32) * 4096, Math.floor(block / 32 + 1) * 4096));
        const vector = Int32Array.from(rows[0] as Int16Array);
        const tree = blockTree(TREE.model, vector);
        expect(stands(TREE.model, tree.root, block, openVector(TREE.model, tree, vector, block))).toBe(true);
        expect(stands(TREE.model, tree.root, block ^ 1, openVector(TREE.model, tree, vector, block))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('of padding stand where nothing is', () => {
    for (const leaves of [1, 2, 3, 5, 6, 11]) {
      const own = Array.from({ length: leaves }, (_, index) => new Uint8Array(32).fill(index + 1));
      const tree = buildTree(TREE.aggregate, own);
      for (let index = leaves; index < 2 ** tree.depth; index++) {
        const proof = proofAt(TREE.aggregate, tree, index);
        // A tree in which the padding is spelt out has the same root and the same proof.
        const spelt = buildTree(TREE.aggregate, [...own, ...Array<Uint8Array>(2 ** tree.depth - leaves).fill(PADDING)]);
        expect(toHex(spelt.root)).toBe(toHex(tree.root));
        expect(proof).toEqual(spelt.proof(index).map(toHex));
      }
      expect(() => proofAt(TREE.aggregate, tree, 2 ** tree.depth)).toThrow(
        expect.objectContaining({ code: 'opening/out-of-range' }),
      );
    }
  });
});

describe('updates in files', () => {
  const rows = rowsOf(3, 2500, 5);
  let folder: string;
  let paths: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fedanchor-openings-'));
    paths = rows.map((_, row) => join(folder, String(row)));
    await Promise.all(rows.map((row, at) => writeFile(paths[at] as string, vectorBytes(row))));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are read in stretches, with the roots and leaves of those in memory', async () => {
    const files = openUpdateBlocks({ place: 'files', paths, dimension: 2500 * 64 });
    const memory = openUpdateBlocks({ place: 'memory', rows });
    const most: number[] = [];
    const watched: UpdateBlocks = {
      ...files,
      read: (row, first, count) => {
        most.push(count);
        return files.read(row, first, count);
      },
    };
    expect((await matrixTreeOf(watched)).root).toEqual(matrixTree(rows).root);
    expect(Math.max(...most)).toBe(1024);
    for (const block of [0, 1023, 1024, 2047, 2048, 2499]) {
      expect(await matrixData(files, block)).toEqual(await matrixData(memory, block));
      expect(await openUpdate(files, 2, block)).toEqual(await openUpdate(memory, 2, block));
      expect(await openMatrix(files, block)).toEqual(await openMatrix(memory, block));
    }
    await files.close();
  });

  it('that are too short, or not there, are not read as zeros', async () => {
    await truncate(paths[1] as string, 2499 * 128 + 5);
    const files = openUpdateBlocks({ place: 'files', paths, dimension: 2500 * 64 });
    await expect(files.read(1, 2499, 1)).rejects.toThrow(RangeError);
    expect(await files.read(1, 2498, 1)).toEqual((rows[1] as Int16Array).slice(2498 * 64, 2499 * 64));
    await files.close();
    const gone = openUpdateBlocks({ place: 'files', paths: [join(folder, 'gone')], dimension: 64 });
    await expect(gone.read(0, 0, 1)).rejects.toThrow(/ENOENT/);
    await gone.close();
  });
});
