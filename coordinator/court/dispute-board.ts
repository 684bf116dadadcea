import type { Kind } from '../../shared/openings/subject.ts';

/** A dispute in flight as its coordinator sees it. */
export interface OpenDispute {
  /** Its number. */
  readonly id: bigint;
  /** The disputed round. */
  readonly round: number;
  /** What it is about. */
  readonly kind: Kind;
  /** When the move that is due must have come, in seconds since 1970 by the chain's clock. */
  readonly deadlineS: number;
  /** Whether the move is this coordinator's. */
  readonly isOurMove: boolean;
  /** Why no move can be made, where none can. */
  readonly trouble?: string;
}

/** What is known of a job's disputes, for whoever looks after the coordinator. */
export interface DisputeBoard {
  /** Disputes in flight over rounds that this coordinator anchored. */
  readonly open: readonly OpenDispute[];
  /** How many of its rounds' disputes ended since the start, by how. */
  readonly ended: Readonly<Record<'answered' | 'moot' | 'abandoned' | 'won', number>>;
}
