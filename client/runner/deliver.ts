import { recoverAddress } from '../../contracts/wallet.ts';
import { toHex } from '../../shared/bytes.ts';
import { type Receipt, receiptDigest, type SignedReceipt } from '../../shared/commitments/receipt.ts';
import { int16Vector, PART_BYTES, partRoots, updateTree } from '../../shared/commitments/vector-trees.ts';
import type { WireFormat } from '../../shared/wire/format.ts';
import type { SignedUpdate, SubmissionJournal } from '../journal/submission-journal.ts';
import type { Log } from '../log.ts';
import type { ChainFacts } from '../session/check-terms.ts';
import type { BulkTransport } from '../transports/bulk-transport.ts';
import type { ControlTransport } from '../transports/control-transport.ts';
import { ProtocolError } from '../transports/transport-error.ts';

/** Parts uploaded at the same time. */
const PARALLEL_PARTS = 4;

/** Receipts that say the bytes never arrived: nothing was judged, so the same update is offered again. */
const UNJUDGED: readonly string[] = ['gate/not-uploaded'];

/** Refusals of an offer that are about its statement, such as its round being over or its update having been accepted. */
const ABOUT_THE_STATEMENT: readonly string[] = ['gate/late', 'gate/refused'];

/**
 * Announces a signed update; returns the parts the coordinator lacks. Where the statement alone is refused it lacks none:
 * an offer is answered with words only, a submission with a signed receipt, which may say that the update was accepted
 * before the coordinator crashed.
 */
export async function offerUpdate(control: ControlTransport, update: SignedUpdate): Promise<readonly number[]> {
  const { job, round, attempt, updateRoot } = update.statement;
  try {
    const { missing } = await control.request('update.offer', {
      job,
      round,
      attempt,
      updateRoot,
      byteLength: update.bytes.length,
      partRoots: partRoots(updateTree(update.bytes)).map(toHex),
    });
    return missing;
  } catch (error) {
    if (error instanceof ProtocolError && ABOUT_THE_STATEMENT.includes(error.code)) return [];
    throw error;
  }
}

/**
 * Uploads the parts asked for, a few at a time, in the job's wire format.
 *
 * @param wire - left out, parts travel as they are
 * @throws WireError `wire/not-representable` if the update was not made for that format
 */
export async function uploadParts(
  bulk: BulkTransport,
  { statement: { job, updateRoot }, bytes }: SignedUpdate,
  missing: readonly number[],
  signal: AbortSignal,
  wire?: WireFormat,
): Promise<void> {
  const queue = [...missing];
  const lane = async (): Promise<void> => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const plain = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      await bulk.putPart(job, updateRoot, part, wire ? wire.encodePart(int16Vector(plain)) : plain, signal);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_PARTS }, lane));
}

/** What judging a receipt needs. */
export interface ReceiptContext {
  /** What the chain says: who signs receipts, and where they are valid. */
  readonly facts: ChainFacts;
  /** Keeps receipts. */
  readonly journal: SubmissionJournal;
  /** Where verdicts and wrong receipts are told. */
  readonly log: Log;
}

/**
 * Submits the statement of an uploaded update and keeps the receipt, if it is the coordinator's word about this update.
 *
 * @returns the verdict; null for a receipt that is not its word
 * @throws ProtocolError, TransportError; ProtocolError `gate/not-uploaded` if the coordinator lost the upload
 */
export async function submitUpdate(
  control: ControlTransport,
  participant: SignedReceipt['participant'],
  { statement, signature }: SignedUpdate,
  { facts, journal, log }: ReceiptContext,
): Promise<Receipt['verdict'] | null> {
  const { receipt } = await control.request('update.submit', { statement, signature });
  const { round, attempt, verdict, code } = receipt;
  if (UNJUDGED.includes(code)) {
    throw new ProtocolError(code, 'the coordinator has not the parts of this update: it is offered again');
  }
  const isAboutThis =
    receipt.job === statement.job &&
    round === statement.round &&
    attempt === statement.attempt &&
    receipt.updateRoot === statement.updateRoot &&
    receipt.participant === participant;
  if (!isAboutThis || !isSignedBy(facts, receipt)) {
    log.error(
      { code: 'session/bad-receipt', round: statement.round, attempt: statement.attempt, receipt },
      'the coordinator answered with a receipt that it has not signed, or for something else: it is not kept',
    );
    return null;
  }
  await journal.keepReceipt(receipt).catch((error: Error) => {
    log.error({ round, attempt, error: error.message }, 'the receipt could not be kept');
  });
  const told = { round, attempt, verdict, ...(code === '' ? {} : { code }) };
  if (verdict === 'accepted') log.info(told, 'update accepted');
  else log.warn(told, `update ${verdict}`);
  return verdict;
}

function isSignedBy(facts: ChainFacts, receipt: SignedReceipt): boolean {
  try {
    return recoverAddress(receiptDigest(facts, receipt), receipt.signature) === facts.coordinator;
  } catch {
    return false;
  }
}
