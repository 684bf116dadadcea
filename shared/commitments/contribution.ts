import { keccak_256 } from '@noble/hashes/sha3.js';
import { addressWord, concatBytes, fromHex, type Hex, toHex, word } from '../bytes.ts';
import { buildTree, leafHash, TREE } from './merkle-tree.ts';
import { type SigningDomain, typedDataDigest, UPDATE_TYPE } from './typed-data.ts';

/** What a client states about its update, and signs. */
export interface UpdateStatement {
  /** The job. */
  readonly job: Hex;
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
  /** Model the client trained from. */
  readonly parentRoot: Hex;
  /** Root of the update's tree. */
  readonly updateRoot: Hex;
  /** Training samples behind the update. */
  readonly samples: number;
  /** Largest magnitude of a coordinate, in update units; the gate compares it with the update. */
  readonly largestMagnitude: number;
  /** Commitment to the data set trained on, by which a later audit can bind the client to it. */
  readonly datasetCommitment: Hex;
}

/** The digest a client signs over its statement, by EIP-712. */
export function updateDigest(domain: SigningDomain, statement: UpdateStatement): Uint8Array {
  return typedDataDigest(domain, UPDATE_TYPE, { ...statement });
}

/** One admitted update as the round commits to it, in participant order. */
export interface Contribution {
  /** Address of the participant, lower case. */
  readonly participant: Hex;
  /** Root of the update's tree. */
  readonly updateRoot: Hex;
  /** Samples stated. */
  readonly samples: number;
  /** Largest magnitude stated. */
  readonly largestMagnitude: number;
  /** Data set committed to. */
  readonly datasetCommitment: Hex;
  /** The participant's signature over the statement, 65 bytes. */
  readonly signature: Hex;
  /**
   * Model it was trained from, in a job whose rounds are buffered; in any other it is the round's own parent, and is left
   * out. It has no place in the leaf: the signature there covers it.
   */
  readonly parentRoot?: Hex;
}

/** Verdict of a contribution in the tree: admitted. Only admitted updates are committed to. */
export const ADMITTED = 1;

/**
 * Leaf hashes of the contributions: a leaf is participant, update root, samples, largest magnitude, data set commitment,
 * keccak256 of the signature, and the verdict, 32 bytes each.
 */
export function contributionLeaves(contributions: readonly Contribution[]): Uint8Array[] {
  return contributions.map((contribution) =>
    leafHash(
      TREE.contributions,
      concatBytes(
        addressWord(contribution.participant),
        fromHex(contribution.updateRoot, 32),
        word(contribution.samples),
        word(contribution.largestMagnitude),
        fromHex(contribution.datasetCommitment, 32),
        keccak_256(fromHex(contribution.signature)),
        word(ADMITTED),
      ),
    ),
  );
}

/** Root over the contributions, whose leaves are {@link contributionLeaves}. */
export function contributionsRoot(contributions: readonly Contribution[]): Hex {
  return toHex(buildTree(TREE.contributions, contributionLeaves(contributions)).root);
}

/** Orders by participant address, the order of matrix rows and of every tie-break. */
export function byParticipant(a: { readonly participant: Hex }, b: { readonly participant: Hex }): number {
  return a.participant < b.participant ? -1 : a.participant > b.participant ? 1 : 0;
}
