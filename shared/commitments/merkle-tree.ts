import { concatBytes, equalBytes } from '../bytes.ts';
import { FedanchorError } from '../errors.ts';
import { sha256Digest } from './hashing.ts';

/**
 * The kinds of SHA-256 tree, each with a tag of its own, so that no leaf or node of one can pass for one of another.
 */
export const TREE = {
  update: 1,
  matrix: 2,
  model: 3,
  serverState: 4,
  aggregate: 5,
  contributions: 6,
  gram: 7,
  weights: 8,
  scores: 9,
  tensors: 10,
  dataset: 11,
} as const;

/** One of the kinds in {@link TREE}. */
export type TreeKind = (typeof TREE)[keyof typeof TREE];

/** Thrown when a tree cannot be built or a proof cannot be asked for. */
export class MerkleError extends FedanchorError<'merkle/no-leaves' | 'merkle/no-such-leaf'> {}

/** A leaf that is not there: 32 zero bytes, of which nobody knows a preimage. */
export const PADDING: Uint8Array = new Uint8Array(32);

const DIGEST_BYTES = 32;

// What is hashed is put together in the same memory again and again: trees have very many leaves, almost all of one
// length. Nothing of one call is left over in the next, for each byte is written each time but the leaf's second, zero.
let leafInput: Uint8Array = new Uint8Array(2);
const nodeInput: Uint8Array = new Uint8Array(2 + 2 * DIGEST_BYTES);

/**
 * Hash of a leaf: `SHA-256(kind ‖ 0 ‖ data)`.
 *
 * @param kind - the tree's kind
 * @param data - the leaf's bytes, of any length
 */
export function leafHash(kind: TreeKind, data: Uint8Array): Uint8Array {
  if (leafInput.length !== data.length + 2) leafInput = new Uint8Array(data.length + 2);
  leafInput.set(data, 2);
  return leafHashInPlace(kind, leafInput);
}

/**
 * Hash of a leaf whose data has two bytes of room in front, so that nothing is copied: they become the tag.
 *
 * @param kind - the tree's kind
 * @param framed - the room and the leaf's bytes
 */
export function leafHashInPlace(kind: TreeKind, framed: Uint8Array): Uint8Array {
  framed[0] = kind;
  framed[1] = 0;
  return sha256Digest(framed);
}

/**
 * Hash of an inner node: `SHA-256(kind ‖ level ‖ left ‖ right)`.
 *
 * @param kind - the tree's kind
 * @param level - height of the node: 1 for a parent of leaves
 */
export function nodeHash(kind: TreeKind, level: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  // A sibling in a proof may have any length: then it must not share the buffer, in which it would leave some of before.
  if (left.length !== DIGEST_BYTES || right.length !== DIGEST_BYTES) {
    return sha256Digest(concatBytes(Uint8Array.of(kind, level), left, right));
  }
  nodeInput[0] = kind;
  nodeInput[1] = level;
  nodeInput.set(left, 2);
  nodeInput.set(right, 2 + DIGEST_BYTES);
  return sha256Digest(nodeInput);
}

/** A Merkle tree with all its levels in memory: 64 bytes a leaf. */
export interface MerkleTree {
  /** The root, 32 bytes. */
  readonly root: Uint8Array;
  /** Levels above the leaves: 0 for a single leaf. */
  readonly depth: number;
  /**
   * The siblings from a leaf to the root, lowest first.
   *
   * @throws MerkleError `merkle/no-such-leaf`
   */
  proof(index: number): Uint8Array[];
  /** The nodes of a level, 0 being the leaves, without the padding that completes the level. */
  level(height: number): readonly Uint8Array[];
}

/**
 * Builds a tree over leaf hashes, padded with {@link PADDING} to the next power of two.
 *
 * @param kind - the tree's kind
 * @param leaves - hashes made by {@link leafHash}
 * @param base - height at which the given nodes stand: 0 for leaves, more to join subtrees of 2^base leaves each
 * @throws MerkleError `merkle/no-leaves`
 */
export function buildTree(kind: TreeKind, leaves: readonly Uint8Array[], base = 0): MerkleTree {
  if (leaves.length === 0) throw new MerkleError('merkle/no-leaves', 'a Merkle tree needs at least one leaf');
  const levels: (readonly Uint8Array[])[] = [leaves];
  let filler = paddingAt(kind, base);
  for (let nodes = leaves; nodes.length > 1; ) {
    const height = base + levels.length;
    const parents: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += 2) {
      parents.push(nodeHash(kind, height, nodes[at] as Uint8Array, nodes[at + 1] ?? filler));
    }
    filler = nodeHash(kind, height, filler, filler);
    levels.push(parents);
    nodes = parents;
  }
  const depth = levels.length - 1;
  return {
    root: (levels[depth] as readonly Uint8Array[])[0] as Uint8Array,
    depth,
    level: (height) => levels[height] ?? [],
    proof: (index) => {
      if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
        throw new MerkleError('merkle/no-such-leaf', `leaf ${index} is not among the ${leaves.length} of the tree`);
      }
      return levels
        .slice(0, depth)
        .map((nodes, height) => nodes[(index >> height) ^ 1] ?? paddingAt(kind, base + height));
    },
  };
}

/** Root of a subtree of 2^level leaves, all of them padding. */
export function paddingAt(kind: TreeKind, level: number): Uint8Array {
  let node = PADDING;
  for (let height = 1; height <= level; height++) node = nodeHash(kind, height, node, node);
  return node;
}

/**
 * Whether a leaf stands at an index of the tree with this root.
 *
 * @param kind - the tree's kind
 * @param root - 32 bytes
 * @param index - position of the leaf; the proof's length must be the tree's depth
 * @param data - the leaf's bytes
 * @param proof - siblings, lowest first
 */
export function verifyLeaf(
  kind: TreeKind,
  root: Uint8Array,
  index: number,
  data: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** proof.length) return false;
  let node = leafHash(kind, data);
  proof.forEach((sibling, height) => {
    const right = Math.floor(index / 2 ** height) % 2 === 1;
    node = right ? nodeHash(kind, height + 1, sibling, node) : nodeHash(kind, height + 1, node, sibling);
  });
  return equalBytes(node, root);
}
