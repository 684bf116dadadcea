import { concatBytes, type Hex, toHex, word } from '../bytes.ts';
import { buildTree, leafHash, type MerkleTree, TREE } from './merkle-tree.ts';

/** A signed integer as the EVM holds it: 32 bytes, two's complement. */
function signedWord(value: bigint): Uint8Array {
  return word(BigInt.asUintN(256, value));
}

/** One row of a Gram matrix as its leaf holds it: each entry a signed 32-byte word. */
export function gramRow(row: readonly bigint[]): Uint8Array {
  return concatBytes(...row.map(signedWord));
}

/** Tree of a Gram matrix, a leaf one {@link gramRow}. */
export function gramTree(gram: readonly (readonly bigint[])[]): MerkleTree {
  return buildTree(
    TREE.gram,
    gram.map((row) => leafHash(TREE.gram, gramRow(row))),
  );
}

/** Root over a Gram matrix: a leaf is one row, each entry a signed 32-byte word. */
export function gramRoot(gram: readonly (readonly bigint[])[]): Hex {
  return toHex(gramTree(gram).root);
}

/** Root over aggregation weights, one a leaf in participant order; a rule without weights commits to zeros. */
export function weightsRoot(weights: readonly number[]): Hex {
  return toHex(
    buildTree(
      TREE.weights,
      weights.map((weight) => leafHash(TREE.weights, signedWord(BigInt(weight)))),
    ).root,
  );
}

/** Root over integer scores, one a leaf in participant order. */
export function scoresRoot(scores: readonly bigint[]): Hex {
  return toHex(
    buildTree(
      TREE.scores,
      scores.map((score) => leafHash(TREE.scores, signedWord(score))),
    ).root,
  );
}
