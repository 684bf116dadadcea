import { keccak_256 } from '@noble/hashes/sha3.js';
import { fromHex, type Hex, toHex } from '../bytes.ts';
import { ADMITTED, type Contribution, contributionLeaves } from '../commitments/contribution.ts';
import { buildTree, TREE } from '../commitments/merkle-tree.ts';
import type { SignedReceipt } from '../commitments/receipt.ts';
import { type Leaf, openMatrix, openUpdate, proofAt } from './leaf.ts';
import { noData, OpeningError } from './opening-error.ts';
import type { RoundView } from './round-view.ts';

/** A contribution as its leaf holds it: `Openings.Contribution`. */
export interface ContributionLeaf {
  /** Who contributed. */
  readonly participant: Hex;
  /** Root of the update's tree. */
  readonly updateRoot: Hex;
  /** Samples stated. */
  readonly samples: number;
  /** Largest magnitude stated. */
  readonly largestMagnitude: number;
  /** Data set committed to. */
  readonly datasetCommitment: Hex;
  /** keccak256 of the participant's signature. */
  readonly signatureHash: Hex;
  /** 1: admitted. */
  readonly verdict: number;
}

/** What shows that a block of the matrix is the participant's: `ContributionJudge.LinkAnswer`. */
export interface LinkAnswer {
  /** What the answer is to. */
  readonly kind: 'link';
  /** The participant's contribution. */
  readonly contribution: ContributionLeaf;
  /** Its proof. */
  readonly proof: readonly Hex[];
  /** The 4,096 bytes of the update that contain the block, or what the last leaf has. */
  readonly update: Leaf;
  /** The block of all updates. */
  readonly matrix: Leaf;
}

/** What shows that a contribution is the participant's: `ContributionJudge.ContributionAnswer`. */
export interface ContributionAnswer {
  /** What the answer is to. */
  readonly kind: 'contribution';
  /** The contribution; nobody's at a row that completes the tree. */
  readonly contribution: ContributionLeaf;
  /** Its proof. */
  readonly proof: readonly Hex[];
  /** The participant's signature. */
  readonly signature: Hex;
  /** The contribution one row above; nobody's for the first row. */
  readonly previous: ContributionLeaf;
  /** Its proof. */
  readonly previousProof: readonly Hex[];
}

/** What shows that an accepted update is in the round: `ContributionJudge.OmissionAnswer`. */
export interface OmissionAnswer {
  /** What the answer is to. */
  readonly kind: 'omission';
  /** Row of the contribution. */
  readonly row: number;
  /** The contribution. */
  readonly contribution: ContributionLeaf;
  /** Its proof. */
  readonly proof: readonly Hex[];
}

const ZERO_WORD: Hex = `0x${'00'.repeat(32)}`;

const NOBODY: ContributionLeaf = {
  participant: `0x${'00'.repeat(20)}`,
  updateRoot: ZERO_WORD,
  samples: 0,
  largestMagnitude: 0,
  datasetCommitment: ZERO_WORD,
  signatureHash: ZERO_WORD,
  verdict: 0,
};

/** A contribution as its leaf holds it. */
export function contributionLeaf({ signature, ...stated }: Contribution): ContributionLeaf {
  return { ...stated, signatureHash: toHex(keccak_256(fromHex(signature))), verdict: ADMITTED };
}

/**
 * Proof of a contribution, or of a row that completes the tree.
 *
 * @throws OpeningError `opening/out-of-range`
 */
export function contributionProof(contributions: readonly Contribution[], row: number): Hex[] {
  return proofAt(TREE.contributions, buildTree(TREE.contributions, contributionLeaves(contributions)), row);
}

/**
 * Shows that a block of the matrix is what the participant has signed.
 *
 * @throws OpeningError `opening/no-data`, `opening/out-of-range`
 */
export async function answerLink({ document, updates }: RoundView, row: number, block: number): Promise<LinkAnswer> {
  if (updates === null) throw noData('updates');
  const { contributions } = document;
  return {
    kind: 'link',
    contribution: contributionLeaf(at(contributions, row)),
    proof: contributionProof(contributions, row),
    update: await openUpdate(updates, row, block),
    matrix: await openMatrix(updates, block),
  };
}

/**
 * Shows that a contribution is signed and in its place, or that nothing stands at a row behind the last.
 *
 * @throws OpeningError `opening/out-of-range`
 */
export function answerContribution({ document: { contributions } }: RoundView, row: number): ContributionAnswer {
  const own = contributions[row];
  const previous = own === undefined ? undefined : contributions[row - 1];
  return {
    kind: 'contribution',
    contribution: own === undefined ? NOBODY : contributionLeaf(own),
    proof: contributionProof(contributions, row),
    signature: own?.signature ?? '0x',
    previous: previous === undefined ? NOBODY : contributionLeaf(previous),
    previousProof: previous === undefined ? [] : contributionProof(contributions, row - 1),
  };
}

/**
 * Shows that an accepted update is in the round.
 *
 * @throws OpeningError `opening/no-data` where it is not
 */
export function answerOmission(
  { document: { contributions } }: RoundView,
  { participant, updateRoot }: SignedReceipt,
): OmissionAnswer {
  const row = contributions.findIndex((own) => own.participant === participant && own.updateRoot === updateRoot);
  if (row < 0) throw noData(`contribution of ${participant}`);
  return {
    kind: 'omission',
    row,
    contribution: contributionLeaf(at(contributions, row)),
    proof: contributionProof(contributions, row),
  };
}

function at(contributions: readonly Contribution[], row: number): Contribution {
  const own = contributions[row];
  if (own !== undefined) return own;
  throw new OpeningError(
    'opening/out-of-range',
    `the round has no row ${row}: its last is ${contributions.length - 1}`,
  );
}
