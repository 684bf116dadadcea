import { type Hex, toHex } from '../bytes.ts';
import {
  buildTree,
  leafHash,
  leafHashInPlace,
  type MerkleTree,
  PADDING,
  paddingAt,
  TREE,
  type TreeKind,
} from '../commitments/merkle-tree.ts';
import { vectorBytes } from '../commitments/vector-trees.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { OpeningError } from './opening-error.ts';
import { allRows, stretches, type UpdateBlocks } from './round-view.ts';

/** A leaf as an answer brings it: `Openings.Leaf`. */
export interface Leaf {
  /** The bytes that are hashed. */
  readonly data: Uint8Array;
  /** Siblings on the way to the root, lowest first, 32 bytes each. */
  readonly proof: readonly Hex[];
}

/** A leaf that an answer does not need. */
export const NO_LEAF: Leaf = { data: new Uint8Array(0), proof: [] };

const VECTOR_LEAF_BYTES = BLOCK * 4;
const ROW_BYTES = BLOCK * 2;

/**
 * Siblings of a leaf, lowest first; also of one that completes a tree to a power of two.
 *
 * @throws OpeningError `opening/out-of-range`
 */
export function proofAt(kind: TreeKind, tree: MerkleTree, index: number): Hex[] {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** tree.depth) {
    throw new OpeningError('opening/out-of-range', `a tree of depth ${tree.depth} has no place ${index}`, { index });
  }
  return Array.from({ length: tree.depth }, (_, height) => {
    const sibling = Math.floor(index / 2 ** height) ^ 1;
    return toHex(tree.level(height)[sibling] ?? (height === 0 ? PADDING : paddingAt(kind, height)));
  });
}

/**
 * Opens a block of a model, an aggregate or a server's state.
 *
 * @param tree - of the whole vector
 * @throws OpeningError `opening/out-of-range`
 */
export function openVector(kind: TreeKind, tree: MerkleTree, vector: Int32Array, block: number): Leaf {
  const data = vectorBytes(vector).slice(block * VECTOR_LEAF_BYTES, (block + 1) * VECTOR_LEAF_BYTES);
  return { data, proof: proofAt(kind, tree, block) };
}

/** The tree of the matrix of updates, read in stretches; its leaves are hashed in one walk. */
export async function matrixTreeOf(updates: UpdateBlocks): Promise<MerkleTree> {
  const framed = new Uint8Array(2 + updates.n * ROW_BYTES);
  const leaves: Uint8Array[] = [];
  for await (const { count, rows } of stretches(updates, allRows(updates), 0, updates.blocks)) {
    const bytes = rows.map(vectorBytes);
    for (let block = 0; block < count; block++) {
      for (const [row, all] of bytes.entries()) {
        framed.set(all.subarray(block * ROW_BYTES, (block + 1) * ROW_BYTES), 2 + row * ROW_BYTES);
      }
      leaves.push(leafHashInPlace(TREE.matrix, framed));
    }
  }
  return buildTree(TREE.matrix, leaves);
}

/** The bytes of one block of all updates. */
export async function matrixData(updates: UpdateBlocks, block: number): Promise<Uint8Array> {
  const data = new Uint8Array(updates.n * ROW_BYTES);
  for await (const { rows } of stretches(updates, allRows(updates), block, 1)) {
    for (const [row, values] of rows.entries()) data.set(vectorBytes(values), row * ROW_BYTES);
  }
  return data;
}

/**
 * Opens a block of all updates.
 *
 * @throws OpeningError `opening/out-of-range`
 */
export async function openMatrix(updates: UpdateBlocks, block: number): Promise<Leaf> {
  const proof = proofAt(TREE.matrix, await matrixTreeOf(updates), block);
  return { data: await matrixData(updates, block), proof };
}

/** Blocks in a leaf of an update's tree. */
const UPDATE_LEAF_BLOCKS = 32;

/** Opens the 4,096 bytes of an update that contain a block, or what the last leaf has. */
export async function openUpdate(updates: UpdateBlocks, row: number, block: number): Promise<Leaf> {
  const leaves: Uint8Array[] = [];
  const index = Math.floor(block / UPDATE_LEAF_BLOCKS);
  let data = new Uint8Array(0);
  for await (const { count, rows } of stretches(updates, [row], 0, updates.blocks)) {
    const bytes = vectorBytes(rows[0] as Int16Array);
    // A stretch is a whole number of leaves, but for the last.
    for (let at = 0; at < count; at += UPDATE_LEAF_BLOCKS) {
      const leaf = bytes.subarray(at * ROW_BYTES, (at + UPDATE_LEAF_BLOCKS) * ROW_BYTES);
      if (leaves.length === index) data = leaf.slice();
      leaves.push(leafHash(TREE.update, leaf));
    }
  }
  return { data, proof: proofAt(TREE.update, buildTree(TREE.update, leaves), index) };
}
