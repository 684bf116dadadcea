import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Hex } from '../../shared/bytes.ts';
import { AuditError } from './audit-error.ts';
import type { AuditMemory } from './audit-memory.ts';
import type { BlobSource } from './blob-source.ts';
import type { AnchoredRound } from './chain-position.ts';
import type { AuditedRound, RoundAuditor } from './round-auditor.ts';

/** What a follower works with. */
export interface FollowerOptions {
  /** The chain. */
  readonly ledger: Pick<Ledger, 'records' | 'latestRound' | 'headOf'>;
  /** Recomputes. The follower alone moves it. */
  readonly auditor: RoundAuditor;
  /** Where the auditor reads, to see whether what was missing has come. */
  readonly blobs: BlobSource;
  /** What an earlier process found to hold. */
  readonly memory: AuditMemory;
  /** Told of every round that was audited, while its updates are at hand; a withheld one that came late, twice. */
  readonly onAudited: (audited: AuditedRound) => Promise<void>;
  /** Told when rounds were taken back. */
  readonly onRewound?: (first: number, last: number) => Promise<void>;
  /** Ends a run between two rounds. */
  readonly signal?: AbortSignal;
}

/** Keeps an auditor abreast of a chain that grows and may be cut back. */
export interface RoundFollower {
  /**
   * Audits what is new.
   *
   * @throws AuditError, LedgerError when blobs or chain cannot be asked: call again later
   */
  catchUp(): Promise<void>;
  /** Has a round audited once more by the next {@link catchUp}, and all after it; one that is not anchored any more is not. */
  review(round: number): void;
  /** The latest round that holds with everything before it, undefined if there is none. */
  trusted(): { readonly round: number; readonly head: Hex } | undefined;
  /** The job's records as they were read last. */
  records(): readonly AnchoredRound[];
}

interface Followed {
  readonly head: Hex;
  readonly holds: boolean;
  /** What was not there when it was asked for. */
  readonly missing: Hex | undefined;
}

const PROBE_BYTES = 2 ** 40;

/** Creates a follower that stands before round 1. */
export function createRoundFollower(options: FollowerOptions): RoundFollower {
  const { ledger, auditor, blobs, memory, onAudited, onRewound, signal } = options;
  const followed: Followed[] = [];
  let records: readonly AnchoredRound[] = [];
  let isResumed = false;

  /** Reads the records only where the chain's end is not the one that is known. */
  const refresh = async (): Promise<void> => {
    const latest = await ledger.latestRound();
    const isKnown =
      latest === records.length && (latest === 0 || (await ledger.headOf(latest)) === records.at(-1)?.head);
    if (!isKnown) records = await ledger.records();
  };

  const resume = async (): Promise<void> => {
    const held = [...(await memory.load())].reverse().find(({ round, head }) => records[round - 1]?.head === head);
    for (const anchored of records.slice(0, held?.round ?? 0)) {
      await auditor.adopt(anchored);
      followed.push({ head: anchored.head, holds: true, missing: undefined });
    }
    isResumed = true;
  };

  const cutTo = (round: number): void => {
    if (auditor.round() > round) auditor.backTo(round);
    followed.length = round;
  };

  const dropRewound = async (): Promise<void> => {
    const parted = followed.findIndex(({ head }, index) => records[index]?.head !== head);
    if (parted < 0) return;
    const last = followed.length;
    cutTo(parted);
    await onRewound?.(parted + 1, last);
  };

  /** Goes back to the earliest round that lacked something, once that is there. */
  const reviewWithheld = async (): Promise<void> => {
    const index = followed.findIndex(({ missing }) => missing !== undefined);
    const missing = followed[index]?.missing;
    if (missing !== undefined && (await isThere(blobs, missing))) cutTo(index);
  };

  return {
    catchUp: async () => {
      await refresh();
      if (!isResumed) await resume();
      await dropRewound();
      await reviewWithheld();
      for (const anchored of records.slice(followed.length)) {
        signal?.throwIfAborted();
        const audited = await auditor.next(anchored);
        const { verdict, finding } = audited;
        const missing = finding.isWithheld ? finding.divergence?.blob : undefined;
        followed.push({ head: anchored.head, holds: verdict.holds, missing });
        if (verdict.holds) await memory.add({ round: verdict.round, head: anchored.head });
        try {
          await onAudited(audited);
        } catch (error) {
          // Whoever was told could not do its part: the round is audited once more, for its updates are gone by then.
          cutTo(followed.length - 1);
          throw error;
        }
      }
    },
    review: (round) => {
      if (round <= followed.length) cutTo(round - 1);
    },
    trusted: () => {
      const round = followed.findLastIndex(({ holds }) => holds) + 1;
      return round === 0 ? undefined : { round, head: (followed[round - 1] as Followed).head };
    },
    records: () => records,
  };
}

async function isThere(blobs: BlobSource, id: Hex): Promise<boolean> {
  try {
    await blobs.get(id, PROBE_BYTES);
    return true;
  } catch (error) {
    if (error instanceof AuditError && error.code !== 'audit/blobs-unreachable') return false;
    throw error;
  }
}
