import { type Hex, toHex } from '../bytes.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { buildTree, leafHash, type MerkleTree, paddingAt, TREE, type TreeKind } from './merkle-tree.ts';

/** Bytes of a leaf of an update's tree: long leaves hash at several times the speed of short ones. */
const UPDATE_LEAF_BYTES = 4096;

/** Leaves of one part of an upload, 2^8: a part is a subtree, so it can be verified alone as it arrives. */
const PART_LEAVES = 256;

/** Bytes of one part of an upload, the last one excepted: 1 MiB. */
export const PART_BYTES: number = UPDATE_LEAF_BYTES * PART_LEAVES;

const PART_LEVEL = 8;

/**
 * Little-endian bytes of an integer vector, without copying.
 *
 * The formats of this product are little-endian, as are all machines that Node runs on.
 */
export function vectorBytes(vector: Int16Array | Int32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Int16 view of little-endian bytes; copies only when the bytes are not aligned. */
export function int16Vector(bytes: Uint8Array): Int16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : copyOf(bytes);
  return new Int16Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 2));
}

/** Int32 view of little-endian bytes; copies only when the bytes are not aligned. */
export function int32Vector(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : copyOf(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 4));
}

/** A Buffer's own `slice` would share its memory, and so its alignment. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Tree over consecutive slices of a byte string; the last slice may be shorter. */
function sliceTree(kind: TreeKind, bytes: Uint8Array, leafBytes: number): MerkleTree {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += leafBytes) {
    leaves.push(leafHash(kind, bytes.subarray(at, at + leafBytes)));
  }
  return buildTree(kind, leaves);
}

/** Tree of a client's update: leaves of 4 KiB. */
export function updateTree(bytes: Uint8Array): MerkleTree {
  return sliceTree(TREE.update, bytes, UPDATE_LEAF_BYTES);
}

/** How many parts an update of so many bytes is uploaded in. */
export function partCount(byteLength: number): number {
  return Math.ceil(byteLength / PART_BYTES);
}

/**
 * Roots of the parts of an update, in order. An update of one part has the tree's own root as its part root.
 */
export function partRoots(tree: MerkleTree): Uint8Array[] {
  return tree.depth <= PART_LEVEL ? [tree.root] : [...tree.level(PART_LEVEL)];
}

/**
 * Root of one part, as {@link partRoots} of the whole tree would give it.
 *
 * @param bytes - the part's bytes
 * @param alone - whether the update has this one part only
 */
export function partRoot(bytes: Uint8Array, alone: boolean): Uint8Array {
  const tree = updateTree(bytes);
  if (alone) return tree.root;
  let node = tree.root;
  for (let level = tree.depth; level < PART_LEVEL; level++) {
    node = buildTree(TREE.update, [node, paddingAt(TREE.update, level)], level).root;
  }
  return node;
}

/** Root of an update whose parts have these roots. */
export function joinParts(roots: readonly Uint8Array[]): Uint8Array {
  return roots.length === 1 ? (roots[0] as Uint8Array) : buildTree(TREE.update, roots, PART_LEVEL).root;
}

/**
 * Tree of a model, aggregate or server state: one leaf a block of 64 coordinates, short enough to open on chain.
 *
 * @param kind - `TREE.model`, `TREE.aggregate` or `TREE.serverState`
 * @param vector - a whole number of blocks
 */
export function blockTree(kind: TreeKind, vector: Int32Array): MerkleTree {
  return sliceTree(kind, vectorBytes(vector), BLOCK * 4);
}

/** Root of {@link blockTree}, as hexadecimal. */
export function blockRoot(kind: TreeKind, vector: Int32Array): Hex {
  return toHex(blockTree(kind, vector).root);
}

/**
 * The leaf of the matrix tree for one block: the block's 64 int16 values of every row, in participant order.
 *
 * A challenge to a coordinate opens this one leaf in place of n paths into n client trees.
 */
export function matrixLeaf(rows: readonly Int16Array[], block: number): Uint8Array {
  const leaf = new Int16Array(rows.length * BLOCK);
  rows.forEach((row, index) => {
    leaf.set(row.subarray(block * BLOCK, (block + 1) * BLOCK), index * BLOCK);
  });
  return vectorBytes(leaf);
}

/** Tree over the matrix of admitted updates, one {@link matrixLeaf} a block. */
export function matrixTree(rows: readonly Int16Array[]): MerkleTree {
  const blocks = (rows[0]?.length ?? 0) / BLOCK;
  return buildTree(
    TREE.matrix,
    Array.from({ length: blocks }, (_, block) => leafHash(TREE.matrix, matrixLeaf(rows, block))),
  );
}
