import { keccak_256 } from '@noble/hashes/sha3.js';
import { addressWord, concatBytes, type Hex, toHex, word, ZERO_HASH } from '../bytes.ts';

/** What an account has earned since the job began. */
export interface Entitlement {
  /** The account, lower case. */
  readonly account: Hex;
  /** Cumulative amount in the token's smallest unit. */
  readonly cumulative: bigint;
}

/** Merkle tree of cumulative rewards in the form that OpenZeppelin's MerkleProof verifies. */
export interface RewardsTree {
  /** The root; 32 zero bytes when nobody has earned anything. */
  readonly root: Hex;
  /** The proof for one account, or undefined if it has earned nothing. */
  proof(account: Hex): Hex[] | undefined;
  /** The proof of one entry, also where somebody has given an account several; undefined if it is not there. */
  proofOf(account: Hex, cumulative: bigint): Hex[] | undefined;
}

/**
 * Builds the tree as OpenZeppelin's `StandardMerkleTree` does: leaves are hashed twice, so that a 64-byte inner node
 * can never pass for a leaf; pairs are sorted; nodes fill an array from its end, leaves in ascending order of hash.
 *
 * @param entitlements - one entry an account; entries of zero are left out
 */
export function rewardsTree(entitlements: readonly Entitlement[]): RewardsTree {
  const leaves = entitlements
    .filter(({ cumulative }) => cumulative > 0n)
    .map(({ account, cumulative }) => ({ account, cumulative, hash: entitlementLeaf(account, cumulative) }))
    .sort((a, b) => Buffer.compare(a.hash, b.hash));
  if (leaves.length === 0) {
    return { root: ZERO_HASH, proof: () => undefined, proofOf: () => undefined };
  }

  const size = 2 * leaves.length - 1;
  const nodes = new Array<Uint8Array>(size);
  const positions = new Map<string, number>();
  leaves.forEach(({ account, cumulative, hash }, index) => {
    nodes[size - 1 - index] = hash;
    positions.set(account, size - 1 - index);
    positions.set(`${account}:${cumulative}`, size - 1 - index);
  });
  for (let at = size - 1 - leaves.length; at >= 0; at--) {
    nodes[at] = pairHash(nodes[2 * at + 1] as Uint8Array, nodes[2 * at + 2] as Uint8Array);
  }
  const proofFrom = (position: number | undefined): Hex[] | undefined => {
    if (position === undefined) return undefined;
    const proof: Hex[] = [];
    for (let at = position; at > 0; at = Math.floor((at - 1) / 2)) {
      proof.push(toHex(nodes[at % 2 === 1 ? at + 1 : at - 1] as Uint8Array));
    }
    return proof;
  };
  return {
    root: toHex(nodes[0] as Uint8Array),
    proof: (account) => proofFrom(positions.get(account)),
    proofOf: (account, cumulative) => proofFrom(positions.get(`${account}:${cumulative}`)),
  };
}

/** `keccak256(keccak256(abi.encode(account, cumulative)))`, as RewardVault computes it. */
function entitlementLeaf(account: Hex, cumulative: bigint): Uint8Array {
  return keccak_256(keccak_256(concatBytes(addressWord(account), word(cumulative))));
}

function pairHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  return keccak_256(Buffer.compare(a, b) < 0 ? concatBytes(a, b) : concatBytes(b, a));
}
