import type { VirtualJob } from './virtual-job.ts';

/** An update that a round took. */
export interface Delivery {
  /** Whose it is: index of the client. */
  readonly client: number;
  /** The round whose model it was trained from; 0 is the model before round 1. */
  readonly trainedFrom: number;
}

/**
 * One round as it went: who has a part in it, when it was, and what was carried. Every client that was asked in any of its
 * attempts ended in one way: `asked` is the sum of deliveries, `discarded`, `late`, `superseded` and `dropped`. Of buffered
 * rounds, in which nobody is asked and work goes on from one to the next, it counts the pieces of work that ended.
 */
export interface RoundTraffic {
  /** Round, from 1. */
  readonly round: number;
  /** Updates that are aggregated, by client. */
  readonly deliveries: readonly Delivery[];
  /** When its first attempt opened, in virtual seconds since the run began. */
  readonly openedAt: number;
  /** When collection closed. */
  readonly closedAt: number;
  /** When the round's model was there: aggregated and anchored. */
  readonly endedAt: number;
  /** Why collection closed: all had answered, the updates that a round takes were there, or the deadline had passed. */
  readonly closing: 'answered' | 'sample' | 'deadline';
  /** Attempts, the one that succeeded among them. */
  readonly attempts: number;
  /** Times that a client was asked, all attempts together. */
  readonly asked: number;
  /** Updates that were accepted in an attempt that then fell below the quorum: they are bound to it, and lost with it. */
  readonly discarded: number;
  /** Updates that were on their way when collection closed. */
  readonly late: number;
  /** Clients that gave up: they were not done when they heard that the round was over, or, buffered, too old their model. */
  readonly superseded: number;
  /** Clients that went away. */
  readonly dropped: number;
  /** Buffered: updates that came after the round had closed that they were offered to, and were offered again. */
  readonly reoffered: number;
  /** Bytes of updates, as far as they were sent. */
  readonly bytesUp: number;
  /** Bytes of models, as far as they were fetched. */
  readonly bytesDown: number;
}

/** Rounds on a virtual clock. What they hold does not depend on what updates hold. */
export interface Network {
  /** The job that the round machine takes it for: with it and the events it can all be worked out again. */
  readonly job: VirtualJob;
  /** Things that have happened on the virtual clock so far. */
  readonly happenings: number;
  /**
   * Lets the next round happen.
   *
   * @throws NetworkError `network/job-failed` when the round machine gives the job up, in its words;
   *   `network/no-more-rounds` after the last; `network/stalled` if nothing is left that could happen
   */
  next(): RoundTraffic;
}
