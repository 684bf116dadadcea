import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Log } from '../log.ts';
import { anchoredRounds, type JobEvent } from '../round/events.ts';
import type { BlobStore } from './blob-store.ts';
import { lastExpired, planCollection } from './plan-collection.ts';

/** What the collector of a job's updates works with. */
export interface CollectorOptions {
  /** The job's log so far. */
  readonly history: readonly JobEvent[];
  /** Where updates go from. */
  readonly blobs: Pick<BlobStore, 'size' | 'remove'>;
  /** What the chain says about finality. */
  readonly ledger: Pick<Ledger, 'finality' | 'chainTimeS' | 'facts' | 'progress'>;
  /** Seconds that updates are kept after their round is final, by the manifest. */
  readonly retentionS: number;
  /** Where to tell what went. */
  readonly log: Log;
}

/**
 * Drops the updates whose retention is over. Doing it again, or after a crash half-way, changes nothing.
 *
 * @returns how many went
 * @throws LedgerError if the chain cannot be asked; what the file system throws
 */
export async function collectUpdates(options: CollectorOptions): Promise<number> {
  const { history, blobs, ledger, retentionS, log } = options;
  const anchored = anchoredRounds(history);
  if (anchored === 0) return 0;
  const [{ ringSize }, nowS, { limit }] = [await ledger.facts(), await ledger.chainTimeS(), await ledger.progress()];
  const expiredThrough = await lastExpired(anchored, async (round) => {
    // Without its attestations, or disputed, a round is not final however old it is: its updates are what answers need.
    if (round > limit) return false;
    // What the ring holds no more was final before its place was taken; it is no younger than the oldest that it holds.
    const { anchored: isHeld, finalAtS } = await ledger.finality(Math.max(round, anchored - ringSize + 1));
    return isHeld && nowS >= finalAtS + retentionS;
  });
  let gone = 0;
  for (const root of planCollection(history, expiredThrough)) {
    if ((await blobs.size(root)) === undefined) continue;
    await blobs.remove(root);
    gone++;
  }
  if (gone > 0) log.info({ updates: gone, throughRound: expiredThrough }, 'updates dropped: their retention is over');
  return gone;
}

/** Drops updates now and every so often, until the signal. A chain that is away is asked again next time. */
export async function keepCollecting(options: CollectorOptions, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await collectUpdates(options).catch((error: Error) => {
      if (!signal.aborted) options.log.warn({ error: error.message }, 'updates could not be dropped now');
    });
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
