import type { Court } from '../../contracts/court/court.ts';
import type { CourtWriter } from '../../contracts/court/court-writer.ts';
import { canonicalJson } from '../../shared/codec.ts';
import type { RoundPosition } from '../../shared/openings/round-view.ts';
import type { Subject } from '../../shared/openings/subject.ts';
import type { WatchEvent } from './watch-event.ts';

/** What opening a dispute takes. */
export interface OpenDisputeContext {
  /** The court. */
  readonly court: Court;
  /** Sends. */
  readonly writer: Pick<CourtWriter, 'approveBonds' | 'challenge'>;
  /** Told of the dispute. */
  readonly emit: (event: WatchEvent) => void;
}

/**
 * Approves the bond and opens a dispute; the same one is opened once, however often it is asked for.
 *
 * @returns its number
 * @throws LedgerError, OutboxError
 */
export async function openDispute(
  { court, writer, emit }: OpenDisputeContext,
  position: RoundPosition,
  subject: Subject,
): Promise<bigint> {
  const { round, attempt } = position.record;
  const { kind } = subject;
  const { challengerBond } = await court.terms();
  const what = canonicalJson(
    JSON.parse(JSON.stringify(subject, (_, value) => (typeof value === 'bigint' ? `${value}` : value))),
  );
  await writer.approveBonds(challengerBond, `${round}:${attempt}:${what}`);
  const { transactionHash } = await writer.challenge(position, subject);
  const id = await court.disputeIn(transactionHash);
  if (id === undefined) throw new TypeError(`the transaction ${transactionHash} opened no dispute`);
  emit({ event: 'challenged', id: String(id), round, kind, bond: String(challengerBond), transactionHash });
  return id;
}
