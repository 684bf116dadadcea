import type { Hex } from '../bytes.ts';
import type { SignedReceipt } from '../commitments/receipt.ts';

/** Kinds of dispute, in the order of the contracts' `Kind`. */
export const KINDS = ['coordinate', 'link', 'contribution', 'omission', 'weights', 'scores', 'reward', 'gram'] as const;

/** What a dispute is about. */
export type Kind = (typeof KINDS)[number];

/** One coordinate of aggregate, model and server state. */
export interface CoordinateSubject {
  /** The kind. */
  readonly kind: 'coordinate';
  /** The coordinate; behind the last block, what completes the trees to a power of two. */
  readonly coordinate: number;
}

/** One block of one participant, in the matrix and in its signed update. */
export interface LinkSubject {
  /** The kind. */
  readonly kind: 'link';
  /** The participant's row. */
  readonly row: number;
  /** The block of 64 coordinates. */
  readonly block: number;
}

/** One contribution's signature, place and eligibility. */
export interface ContributionSubject {
  /** The kind. */
  readonly kind: 'contribution';
  /** Its row; behind the last, what completes the tree to a power of two. */
  readonly row: number;
}

/** Inclusion of an update that the coordinator has signed an acceptance for. */
export interface OmissionSubject {
  /** The kind. */
  readonly kind: 'omission';
  /** The coordinator's receipt. */
  readonly receipt: SignedReceipt;
}

/** The weights. */
export interface WeightsSubject {
  /** The kind. */
  readonly kind: 'weights';
  /** For a rule that selects: a row that is selected, and should not be before `better`; else 0. */
  readonly selected: number;
  /** For a rule that selects: a row that is not selected; else 0. */
  readonly better: number;
}

/** All scores. */
export interface ScoresSubject {
  /** The kind. */
  readonly kind: 'scores';
}

/** One account's rewards: what it has on one side of the round, from which what it has on the other must follow. */
export interface RewardSubject {
  /** The kind. */
  readonly kind: 'reward';
  /** Whether what is shown is what the account has after the round; before it otherwise. */
  readonly after: boolean;
  /** The account. */
  readonly account: Hex;
  /** Its cumulative rewards on that side, in the token's smallest unit. */
  readonly cumulative: bigint;
  /** Their proof against that side's rewards root; empty for nothing. */
  readonly proof: readonly Hex[];
}

/** One entry of the Gram matrix; row and column n are the aggregate's. */
export interface GramSubject {
  /** The kind. */
  readonly kind: 'gram';
  /** Row. */
  readonly row: number;
  /** Column. */
  readonly column: number;
}

/** What is disputed about a round: the kind, and where the round is said to be wrong. */
export type Subject =
  | CoordinateSubject
  | LinkSubject
  | ContributionSubject
  | OmissionSubject
  | WeightsSubject
  | ScoresSubject
  | RewardSubject
  | GramSubject;
