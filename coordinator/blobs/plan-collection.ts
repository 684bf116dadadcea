import type { Hex } from '../../shared/bytes.ts';
import type { JobEvent } from '../round/events.ts';

/**
 * Decides which updates may go: those that no round needs any more. An update belongs to every round that it was accepted
 * for, in whatever attempt; models, aggregates, documents and the manifest stay for ever.
 *
 * Pure. The same update may have been accepted for several rounds: it goes with the last of them.
 *
 * @param events - the job's log
 * @param expiredThrough - the last round that is final and past its retention; 0 if there is none
 * @returns roots of updates, each once, in the order of their first acceptance
 */
export function planCollection(events: Iterable<JobEvent>, expiredThrough: number): Hex[] {
  const lastUse = new Map<Hex, number>();
  const kept = new Set<Hex>();
  let anchored = 0;
  for (const event of events) {
    if (event.type === 'updateAccepted') {
      const { updateRoot, round } = event.statement;
      lastUse.set(updateRoot, Math.max(round, lastUse.get(updateRoot) ?? 0));
    } else if (event.type === 'roundAggregated') {
      const { modelRoot, serverStateRoot, aggregateRoot, location } = event.record;
      for (const id of [modelRoot, serverStateRoot, aggregateRoot, location]) kept.add(id);
    } else if (event.type === 'roundAnchored') {
      anchored = Math.max(anchored, event.round);
    } else if (event.type === 'roundsRewound') {
      anchored = Math.min(anchored, event.firstRound - 1);
    }
  }
  // Whatever the chain is said to hold, a round that is not anchored by the log may yet be applied again.
  const through = Math.min(expiredThrough, anchored);
  return [...lastUse].flatMap(([root, round]) => (round <= through && !kept.has(root) ? [root] : []));
}

/** Whether a round has been final for its retention. */
export type IsExpired = (round: number) => Promise<boolean>;

/**
 * The last round that is past its retention, 0 if there is none: rounds become final in order, so halving finds it.
 *
 * @param anchored - how many rounds are anchored
 */
export async function lastExpired(anchored: number, isExpired: IsExpired): Promise<number> {
  let [expired, unexpired] = [0, anchored + 1];
  while (unexpired - expired > 1) {
    const middle = Math.floor((expired + unexpired) / 2);
    if (await isExpired(middle)) expired = middle;
    else unexpired = middle;
  }
  return expired;
}
