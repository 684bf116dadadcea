import { NetworkError } from './network-error.ts';
import type { Delivery, RoundTraffic } from './traffic.ts';

/** What is counted of a round, by {@link RoundTraffic}'s names. */
export type Counted =
  | 'attempts'
  | 'asked'
  | 'discarded'
  | 'late'
  | 'superseded'
  | 'dropped'
  | 'reoffered'
  | 'bytesUp'
  | 'bytesDown';

/** Counts what happens until a round is over, then begins anew. */
export interface Tally {
  /** Counts some more. */
  add(what: Counted, count: number): void;
  /** An attempt has opened; the first one opens the round. */
  opened(at: number): void;
  /** Collection has closed with a quorum. */
  closed(at: number, closing: RoundTraffic['closing'], deliveries: readonly Delivery[]): void;
  /**
   * The round is over.
   *
   * @throws NetworkError `network/stalled` if its collection never closed
   */
  ended(round: number, at: number): RoundTraffic;
}

const NOTHING: Readonly<Record<Counted, number>> = {
  ...{
    attempts: 0,
    asked: 0,
    discarded: 0,
    late: 0,
    superseded: 0,
    dropped: 0,
    reoffered: 0,
    bytesUp: 0,
    bytesDown: 0,
  },
};

/** A tally of times in milliseconds, told in seconds. */
export function createTally(): Tally {
  let counts = { ...NOTHING };
  let openedAt: number | null = null;
  let outcome: Pick<RoundTraffic, 'closedAt' | 'closing' | 'deliveries'> | null = null;
  return {
    add: (what, count) => {
      counts[what] += count;
    },
    opened: (at) => {
      counts.attempts++;
      openedAt ??= at;
    },
    closed: (at, closing, deliveries) => {
      outcome = { closedAt: at / 1000, closing, deliveries };
    },
    ended: (round, at) => {
      if (openedAt === null || outcome === null) {
        throw new NetworkError('network/stalled', `round ${round} ended without having been open`, { round });
      }
      const traffic = { round, ...outcome, openedAt: openedAt / 1000, endedAt: at / 1000, ...counts };
      counts = { ...NOTHING };
      openedAt = null;
      outcome = null;
      return traffic;
    },
  };
}
