import { join } from 'node:path';
import { connectCourt } from '../../contracts/court/court.ts';
import { createCourtWriter } from '../../contracts/court/court-writer.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Subject } from '../../shared/openings/subject.ts';
import { auditManifest } from '../auditor/audit-origin.ts';
import { createFileOutboxStore } from './file-outbox-store.ts';
import { openDispute } from './open-dispute.ts';
import { openParticipantBlobs } from './participant-blobs.ts';
import { positionOf } from './published-round.ts';
import type { WatchEvent } from './watch-event.ts';

/** Thrown when a challenge cannot be opened as it was asked for. */
export class ChallengeError extends FedanchorError<'challenge/no-court' | 'challenge/no-such-round'> {}

/** What a challenge by hand needs. */
export interface ChallengeOptions {
  /** Nodes of the chain, the preferred one first. */
  readonly rpcUrls: readonly string[];
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** Where the manifest is read. */
  readonly coordinatorUrl: string;
  /** Who challenges and pays. */
  readonly signer: Signer;
  /** Folder for transactions, shared with the watcher of the same key. */
  readonly stateDir: string;
  /** The disputed round. */
  readonly round: number;
  /** What about. */
  readonly subject: Subject;
  /** Told of the dispute. */
  readonly emit: (event: WatchEvent) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Opens a dispute by hand, whether or not its round is wrong: that is for the chain to say. Nothing is recomputed, and the
 * bond is lost if the coordinator can show the round to be right. The same challenge is sent once.
 *
 * @returns the dispute's number
 * @throws ChallengeError `challenge/no-court`, `challenge/no-such-round`; LedgerError, OutboxError, AuditError
 */
export async function challengeByHand(options: ChallengeOptions): Promise<bigint> {
  const { anchor, signer, stateDir, round, subject, emit, signal } = options;
  const ledger = await connectLedger({ rpc: connectRpc({ urls: options.rpcUrls, signal }), anchor, signal });
  const facts = await ledger.facts();
  if (/^0x0*$/.test(facts.arbiter) || /^0x0*$/.test(facts.roster)) {
    throw new ChallengeError('challenge/no-court', `the job ${anchor} has no court: nothing in it can be challenged`);
  }
  const records = await ledger.records();
  if (round > records.length) {
    const sentence = `round ${round} is not anchored: the latest is round ${records.length}`;
    throw new ChallengeError('challenge/no-such-round', sentence, { round, latest: records.length });
  }
  const { chainId, coordinator, job } = facts;
  const counterpart = { chainId, anchor, coordinator, job };
  const session = openParticipantBlobs({ url: options.coordinatorUrl, counterpart, signer, signal });
  try {
    const terms = await auditManifest(facts, session.blobs);
    const court = await connectCourt({ rpc: ledger.rpc, disputes: facts.arbiter });
    const { token } = await (await connectStakes({ rpc: ledger.rpc, stakes: facts.roster })).terms();
    const store = await createFileOutboxStore(join(stateDir, `outbox-${chainId}-${signer.address.slice(2)}`));
    const outbox = await createOutbox({
      ...{ rpc: ledger.rpc, wallet: signer, chainId, store, whenEmpty: 'throw', signal },
    });
    const writer = createCourtWriter(outbox, { disputes: facts.arbiter, stakes: facts.roster, token });
    return await openDispute({ court, writer, emit }, positionOf(facts, terms, records, round), subject);
  } finally {
    session.close();
  }
}
