import type { Hex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';

/** What names one submission for ever. */
export interface SubmissionKey {
  /** The job. */
  readonly job: Hex;
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
}

/** An update with all that is sent of it. */
export interface SignedUpdate {
  /** What is stated about it. */
  readonly statement: UpdateStatement;
  /** The participant's signature over the statement. */
  readonly signature: Hex;
  /** The update, little-endian int16. */
  readonly bytes: Uint8Array;
}

/** What a journal knows about one submission: signed, or signed and answered. The bytes go once an answer is kept. */
export type JournalEntry =
  | { readonly at: 'signed'; readonly update: SignedUpdate }
  | { readonly at: 'answered'; readonly statement: UpdateStatement; readonly receipt: SignedReceipt };

/** Signs a statement; only a journal holds one. */
export type SignStatement = (statement: UpdateStatement) => Hex;

/**
 * The only door to a participant's signature over updates: what goes through it is durable before the signature comes
 * out, and for one (job, round, attempt) only one statement ever does. So an honest client cannot equivocate, whatever
 * crashes between any two of its steps.
 */
export interface SubmissionJournal {
  /**
   * What was signed for one attempt, if anything was.
   *
   * @throws JournalError `journal/damaged`, `journal/unavailable`
   */
  find(key: SubmissionKey): Promise<JournalEntry | undefined>;
  /**
   * Signs an update, or gives back what was signed first for the same attempt.
   *
   * @param statement - what to state; its round and attempt are the key
   * @param bytes - the update, of which `statement.updateRoot` is the root
   * @throws JournalError `journal/damaged`, `journal/unavailable`, `journal/answered` if that attempt has its receipt
   */
  sign(statement: UpdateStatement, bytes: Uint8Array): Promise<SignedUpdate>;
  /**
   * Keeps a receipt and drops the bytes it answers. An `accepted` one is never replaced, any other by a newer one.
   *
   * @throws JournalError `journal/unavailable`, `journal/not-signed` if nothing was signed for that attempt
   */
  keepReceipt(receipt: SignedReceipt): Promise<void>;
  /**
   * What was signed in a job and has no receipt, ordered by attempt and round.
   *
   * @throws JournalError `journal/damaged`, `journal/unavailable`
   */
  unanswered(job: Hex): Promise<readonly SignedUpdate[]>;
  /**
   * The receipts of a job, ordered by attempt and round.
   *
   * @throws JournalError `journal/damaged`, `journal/unavailable`
   */
  receipts(job: Hex): Promise<readonly SignedReceipt[]>;
}

/** Orders by attempt, then round. */
export function byAttempt(a: Omit<SubmissionKey, 'job'>, b: Omit<SubmissionKey, 'job'>): number {
  return a.attempt - b.attempt || a.round - b.round;
}
