import type { Hex } from '../bytes.ts';
import { RECEIPT_TYPE, type SigningDomain, typedDataDigest } from './typed-data.ts';

/** The verdicts of the admission gate and their numbers in a signed receipt. */
export const VERDICTS = { accepted: 1, late: 2, rejected: 3 } as const;

/** A verdict of the admission gate. */
export type Verdict = keyof typeof VERDICTS;

/** The coordinator's answer to one submission; the client keeps it, signed, as evidence. */
export interface Receipt {
  /** The job. */
  readonly job: Hex;
  /** Round number that was submitted for. */
  readonly round: number;
  /** Attempt that was submitted for. */
  readonly attempt: number;
  /** Who submitted. */
  readonly participant: Hex;
  /** Root that was submitted. */
  readonly updateRoot: Hex;
  /** What became of it. */
  readonly verdict: Verdict;
  /** Why, as a code; empty when accepted. */
  readonly code: string;
}

/** A receipt with the coordinator's signature over {@link receiptDigest}. */
export interface SignedReceipt extends Receipt {
  /** 65 bytes. */
  readonly signature: Hex;
}

/** The digest the coordinator signs, by EIP-712. */
export function receiptDigest(domain: SigningDomain, receipt: Receipt): Uint8Array {
  return typedDataDigest(domain, RECEIPT_TYPE, { ...receipt, verdict: VERDICTS[receipt.verdict] });
}
