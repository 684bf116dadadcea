import type { Court } from '../../contracts/court/court.ts';
import type { CourtWriter } from '../../contracts/court/court-writer.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { diagnose } from '../../shared/openings/diagnose.ts';
import type { Diagnosis } from '../../shared/openings/diagnosis.ts';
import { discontinuityOf } from '../../shared/openings/facts.ts';
import type { RoundPosition } from '../../shared/openings/round-view.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { EligibilityView, Recover } from '../auditor/audit-contributions.ts';
import type { AuditFacts } from '../auditor/audit-origin.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import type { AnchoredRound } from '../auditor/chain-position.ts';
import type { AuditedRound } from '../auditor/round-auditor.ts';
import type { EvidenceShelf } from './evidence.ts';
import { openDispute } from './open-dispute.ts';
import { type OpenUpdates, positionOf, publishedRound } from './published-round.ts';
import type { WatchEvent } from './watch-event.ts';

/** What a prosecutor works with. */
export interface ProsecutorOptions {
  /** What the chain says the job is. */
  readonly facts: AuditFacts & { readonly deploymentBlock: number };
  /** The chain. */
  readonly ledger: Pick<Ledger, 'finality' | 'chainTimeS'>;
  /** The court. */
  readonly court: Court;
  /** Opens disputes; null where nothing is to be sent. */
  readonly writer: CourtWriter | null;
  /** Where published data is read. */
  readonly blobs: BlobSource;
  /** Opens updates for reading by blocks. */
  readonly openUpdates: OpenUpdates;
  /** Recovers signers. */
  readonly recover: Recover;
  /** Tells who has staked enough to contribute. */
  readonly eligibility: EligibilityView;
  /** Receipts that the watcher holds. */
  readonly receipts: () => Promise<readonly SignedReceipt[]>;
  /** Keeps what a dispute may need. */
  readonly evidence: EvidenceShelf;
  /** Told what is found and done. */
  readonly emit: (event: WatchEvent) => void;
}

/** Takes rounds that do not hold to court. */
export interface Prosecutor {
  /**
   * Looks at an audited round while its updates are at hand, and opens the dispute that shows it wrong, if there is one.
   *
   * @param records - the job's records as they are now
   * @returns whether it is settled what becomes of the round; if not, the contract refused, and may not refuse later
   * @throws LedgerError, OutboxError when the chain cannot be asked or written to: consider the round again later
   */
  consider(terms: JobTerms, records: readonly AnchoredRound[], audited: AuditedRound): Promise<boolean>;
}

/** Creates a prosecutor. What it opens is opened once, however often it is asked and whatever crashes in between. */
export function createProsecutor(options: ProsecutorOptions): Prosecutor {
  const { facts, ledger, court, writer, blobs, recover, eligibility, receipts, evidence, emit } = options;

  /** Receipts for updates that the round, as published, does not contain. */
  const omitted = async ({ anchored: { record }, finding }: AuditedRound): Promise<readonly SignedReceipt[]> => {
    const roots = new Set(finding.document?.contributions.map(({ updateRoot }) => updateRoot));
    return (await receipts()).filter(
      ({ job, round, attempt, verdict, updateRoot }) =>
        [job === record.job, round === record.round, attempt === record.attempt].every(Boolean) &&
        verdict === 'accepted' &&
        !roots.has(updateRoot),
    );
  };

  const examine = async (position: RoundPosition, audited: AuditedRound): Promise<Diagnosis> => {
    const withheld = (what: string): Diagnosis => ({ verdict: 'withheld', what });
    const broken = discontinuityOf(position);
    if (broken !== undefined) return { verdict: 'discontinuity', what: broken };
    const { divergence, recomputed } = audited.finding;
    const published = await publishedRound(position, audited, blobs, options.openUpdates);
    if (published === undefined) return withheld(divergence?.found ?? 'the document cannot be read');
    try {
      const { round } = position.record;
      const diagnosis = await diagnose(published.view, {
        recomputed: recomputed?.outcome ?? null,
        recover,
        isEligible: (participant) => eligibility.isEligible(participant, round),
        domain: facts,
        receipts: await omitted(audited),
        revealed: await court.revealed(facts.deploymentBlock),
      });
      // Whoever lies has every reason to take the data away now.
      if (diagnosis.verdict === 'challenge' && diagnosis.subject.kind === 'gram' && writer !== null) {
        await evidence.keep(audited.anchored.head, published.view);
      }
      if (diagnosis.verdict === 'none' && audited.finding.isWithheld) return withheld(`${divergence?.what} is missing`);
      return diagnosis;
    } finally {
      await published.close();
    }
  };

  return {
    consider: async (terms, records, audited) => {
      const { round } = audited.anchored.record;
      const isSuspect = audited.finding.divergence !== undefined || (await omitted(audited)).length > 0;
      if (!isSuspect) return true;
      const position = positionOf(facts, terms, records, round);
      const diagnosis = await examine(position, audited);
      const what = diagnosis.verdict === 'none' ? (audited.finding.divergence?.what ?? 'a receipt') : diagnosis.what;
      const { anchored, finalAtS } = await ledger.finality(round);
      const isOpen = anchored && (await ledger.chainTimeS()) < finalAtS;
      const verdict = isOpen ? diagnosis.verdict : 'too-late';
      const kind = diagnosis.verdict === 'challenge' ? diagnosis.subject.kind : undefined;
      emit({ event: 'finding', round, verdict, what, ...(kind && { kind }) });
      if (!isOpen || writer === null) return true;
      try {
        if (diagnosis.verdict === 'challenge') await openDispute({ court, writer, emit }, position, diagnosis.subject);
        if (diagnosis.verdict === 'discontinuity') {
          const last = (records.at(-1) as AnchoredRound).record;
          const { transactionHash } = await writer.proveDiscontinuity(position, last);
          emit({ event: 'discontinuity-proven', round, transactionHash });
        }
        return true;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        emit({ event: 'trouble', code: error.code, message: error.message });
        return false;
      }
    },
  };
}

/** Whether a contract refused: no bond in the wallet, a round that was rewound meanwhile, a rule it does not know. */
function isRefusal(error: unknown): error is FedanchorError {
  return error instanceof FedanchorError && ['ledger/reverted', 'outbox/reverted'].includes(error.code);
}
