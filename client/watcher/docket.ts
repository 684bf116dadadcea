import type { Court, Dispute, OpenedDispute } from '../../contracts/court/court.ts';
import type { CourtWriter } from '../../contracts/court/court-writer.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { wrongSum } from '../../shared/openings/gram-moves.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { AuditFacts } from '../auditor/audit-origin.ts';
import type { AnchoredRound } from '../auditor/chain-position.ts';
import type { EvidenceShelf } from './evidence.ts';
import { positionOf } from './published-round.ts';
import type { WatchEvent } from './watch-event.ts';

/** What a docket works with. */
export interface DocketOptions {
  /** What the chain says the job is. */
  readonly facts: AuditFacts & { readonly deploymentBlock: number };
  /** The chain. */
  readonly ledger: Pick<Ledger, 'headOf' | 'rpc'>;
  /** The court. */
  readonly court: Court;
  /** Makes moves. */
  readonly writer: CourtWriter;
  /** Whose disputes they are, lower case. */
  readonly challenger: Hex;
  /** Where the data of disputed rounds is kept. */
  readonly evidence: EvidenceShelf;
  /** Told of every move. */
  readonly emit: (event: WatchEvent) => void;
  /** Told that a challenge was answered, so that its round may be looked at again. */
  readonly onAnswered: (round: number, head: Hex | undefined) => void;
}

/** The disputes that one challenger has in flight, taken up from the chain: nothing of them need be remembered. */
export interface Docket {
  /**
   * Makes every move that is due: names wrong sums, convicts after the deadline, ends what has become moot.
   *
   * @param records - the job's records as they are now
   * @returns whether any dispute is still in flight
   * @throws LedgerError, OutboxError
   */
  advance(terms: JobTerms, records: readonly AnchoredRound[]): Promise<boolean>;
}

/** Blocks that a reorganization may replace: events of so many are read again. */
const REORG_BLOCKS = 64;

/** Creates a docket. */
export function createDocket(options: DocketOptions): Docket {
  const { facts, ledger, court, writer, challenger, evidence, emit, onAnswered } = options;
  const own = new Map<bigint, OpenedDispute>();
  const heads = new Map<bigint, Hex>();
  const ended = new Set<bigint>();
  let from = facts.deploymentBlock;

  const refresh = async (): Promise<void> => {
    const latest = Number((await ledger.rpc.call('eth_blockNumber', [])) as Hex);
    for (const opened of await court.opened(from)) {
      if (opened.challenger === challenger && !ended.has(opened.id)) own.set(opened.id, opened);
    }
    from = Math.max(facts.deploymentBlock, latest - REORG_BLOCKS);
  };

  const close = async (opened: OpenedDispute): Promise<void> => {
    const outcomes = await court.outcomes(opened.blockNumber);
    const outcome = outcomes.find((each) => each.outcome !== 'discontinuity' && each.id === opened.id)?.outcome;
    own.delete(opened.id);
    ended.add(opened.id);
    const head = heads.get(opened.id);
    if (head !== undefined) await evidence.drop(head);
    if (outcome === undefined || outcome === 'discontinuity') return;
    emit({ event: 'ended', id: String(opened.id), round: opened.round, outcome });
    if (outcome === 'answered') onAnswered(opened.round, head);
  };

  const pick = async (
    terms: JobTerms,
    records: readonly AnchoredRound[],
    { id, round, subject, blockNumber }: OpenedDispute,
    { head }: Dispute,
  ): Promise<void> => {
    if (subject?.kind !== 'gram') return;
    const view = await evidence.find(head, positionOf(facts, terms, records, round));
    const sums = await court.sumsOf(id, blockNumber);
    if (view === undefined || sums === undefined) {
      const message = `the data of round ${round} is not on this machine any more: dispute ${id} cannot be seen through`;
      emit({ event: 'trouble', code: 'watch/no-evidence', message });
      return;
    }
    const at = await court.bisectionOf(id);
    const index = await wrongSum(view, subject, at, sums);
    if (index === undefined) {
      const message = `all sums of dispute ${id} are right: there is none to name`;
      emit({ event: 'trouble', code: 'watch/nothing-to-name', message });
      return;
    }
    await writer.pickSum(id, at, index, sums);
    emit({ event: 'picked', id: String(id), first: at.first, span: at.span, index });
  };

  const advanceOne = async (
    terms: JobTerms,
    records: readonly AnchoredRound[],
    opened: OpenedDispute,
    nowS: number,
  ): Promise<void> => {
    const { id, round } = opened;
    const dispute = await court.disputeOf(id);
    if (dispute === undefined) return close(opened);
    heads.set(id, dispute.head);
    if ((await ledger.headOf(round)) !== dispute.head) {
      await writer.dismiss(id);
      return close(opened);
    }
    // The chain may have moved on since the records were read.
    if (records[round - 1]?.head !== dispute.head) return;
    if (dispute.challengerDue) {
      if (nowS < dispute.deadlineS) await pick(terms, records, opened, dispute);
      return;
    }
    if (nowS < dispute.deadlineS) return;
    const { record, parentHead } = positionOf(facts, terms, records, round);
    await writer.convict(id, { record, parentHead }, (records.at(-1) as AnchoredRound).record);
    await close(opened);
  };

  return {
    advance: async (terms, records) => {
      await refresh();
      const nowS = own.size === 0 ? 0 : await nextBlockTimeS(ledger);
      for (const opened of [...own.values()]) await advanceOne(terms, records, opened, nowS);
      return own.size > 0;
    },
  };
}

/**
 * The time that a transaction sent now would see: that of the block being built where the node tells, else of the latest.
 * A chain without traffic makes no blocks, and its latest one may be long ago.
 */
export async function nextBlockTimeS({ rpc }: Pick<Ledger, 'rpc'>): Promise<number> {
  const timeOf = async (tag: string): Promise<number | undefined> => {
    const block = (await rpc.call('eth_getBlockByNumber', [tag, false])) as { timestamp?: Hex } | null;
    return block?.timestamp === undefined ? undefined : Number(block.timestamp);
  };
  const pending = await timeOf('pending').catch((error: unknown) => {
    // Not every node tells what it is building.
    if (error instanceof FedanchorError) return undefined;
    throw error;
  });
  return pending ?? (await timeOf('latest')) ?? 0;
}
