import type { Hex } from '../bytes.ts';
import type { SignedReceipt } from '../commitments/receipt.ts';
import type { SigningDomain } from '../commitments/typed-data.ts';
import { decodeDocument, type RoundDocument } from '../round/document.ts';
import type { RoundOutcome } from '../round/transition.ts';
import type { RoundView } from './round-view.ts';
import type { Subject } from './subject.ts';

/** A block of a round's matrix that an answer has shown. */
export interface RevealedBlock {
  /** Root of the matrix. */
  readonly matrixRoot: Hex;
  /** The block. */
  readonly block: number;
  /** Its bytes. */
  readonly data: Uint8Array;
  /** Siblings on the way to the root, lowest first. */
  readonly proof: readonly Hex[];
}

/** What somebody who recomputes a round holds it to. */
export interface Evidence {
  /** The round from its inputs as published, null where it could not be recomputed: no updates, or the rule refuses. */
  readonly recomputed: RoundOutcome | null;
  /** Recovers the signer of a digest; throws for what is no signature. */
  recover(digest: Uint8Array, signature: Hex): Hex;
  /** Whether a participant could contribute when the round was anchored. */
  isEligible(participant: Hex): Promise<boolean>;
  /** Where the job's signatures are valid. */
  readonly domain: SigningDomain;
  /** Receipts of accepted updates that should be in rounds. */
  readonly receipts?: readonly SignedReceipt[];
  /** Blocks of the matrix that answers have shown, in search of a lie in it. */
  readonly revealed?: readonly RevealedBlock[];
}

/** What is to be done about a round, and why, in words. */
export type Diagnosis =
  | {
      /** The chain settles it: open this dispute. */
      readonly verdict: 'challenge';
      /** What about. */
      readonly subject: Subject;
      /** What is wrong. */
      readonly what: string;
    }
  | {
      /** The chain settles it without an answer: `proveDiscontinuity`. `off-chain`: anyone can recompute that it is wrong,
       * the chain cannot. `withheld`: what was published does not tell. The attestations settle the last two. */
      readonly verdict: 'discontinuity' | 'off-chain' | 'withheld';
      /** What is wrong. */
      readonly what: string;
    }
  | {
      /** Nothing was found. */
      readonly verdict: 'none';
    };

/** A part of the document that the record has a root of. */
export type DocumentPart = 'contributions' | 'gram' | 'weights' | 'scores' | 'rewards';

/** A round under examination. */
export interface Examination {
  /** The round as published. */
  readonly view: RoundView;
  /** What it is held to. */
  readonly evidence: Evidence;
  /** Updates of the round. */
  readonly n: number;
  /** Which parts of the document are those that the record commits to. */
  readonly committed: Readonly<Record<DocumentPart, boolean>>;
  /** Which of these have the form that they must have, so that more can be asked of them. */
  readonly known: Readonly<Record<DocumentPart, boolean>>;
  /** The weights as committed to: zeros where the document has none. */
  readonly weights: readonly number[];
  /** The document that recomputing gave, null where there is none. */
  readonly expected: RoundDocument | null;
}

/** One thing to hold a round to: undefined where it is right, or cannot be told. */
export type Check = (examination: Examination) => Promise<Diagnosis | undefined> | Diagnosis | undefined;

/** The finding that a dispute settles. */
export function challenge(subject: Subject, what: string): Diagnosis {
  return { verdict: 'challenge', subject, what };
}

/** The document of what was recomputed. */
export function expectedDocument({ recomputed }: Evidence): RoundDocument | null {
  return recomputed === null ? null : decodeDocument(recomputed.document);
}
