/** How often something may happen: so many at once, and so many a second for ever. */
export interface Rate {
  /** Sustained rate; what was not used is saved up to `burst`. */
  readonly perSecond: number;
  /** Most that may happen at once, at least 1. */
  readonly burst: number;
}

/** One token bucket for each key. */
export interface TokenBuckets {
  /**
   * Takes one token from a key's bucket, if there is one.
   *
   * @returns 0 if it was taken, else milliseconds until there is one
   */
  take(key: string): number;
  /** Buckets in memory; those that are full again are forgotten. */
  readonly size: number;
}

/** A bucket as it was when it was last looked at. */
interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * Creates token buckets that start full. Memory is bounded whatever keys come: beyond `mostKeys` the full ones go first,
 * as they say nothing, then the ones unused for longest.
 *
 * @param rate - of each bucket
 * @param nowMs - a clock in milliseconds; one that steps back only delays
 * @param mostKeys - buckets kept at most
 */
export function createTokenBuckets(rate: Rate, nowMs: () => number, mostKeys = 65_536): TokenBuckets {
  // In the order of last use, as each use puts its key at the end.
  const buckets = new Map<string, Bucket>();

  const filledAt = ({ tokens, atMs }: Bucket, now: number): number =>
    Math.min(rate.burst, tokens + (Math.max(0, now - atMs) * rate.perSecond) / 1000);
  const makeRoom = (now: number): void => {
    for (const [key, bucket] of buckets) if (filledAt(bucket, now) >= rate.burst) buckets.delete(key);
    // A sweep costs as much as there are keys, so it leaves room for many more before the next.
    for (const key of buckets.keys()) {
      if (buckets.size <= mostKeys / 2) return;
      buckets.delete(key);
    }
  };

  return {
    take: (key) => {
      const now = nowMs();
      const known = buckets.get(key);
      const tokens = known ? filledAt(known, now) : rate.burst;
      const isTaken = tokens >= 1;
      if (known) buckets.delete(key);
      else if (buckets.size >= mostKeys) makeRoom(now);
      buckets.set(key, { tokens: isTaken ? tokens - 1 : tokens, atMs: now });
      return isTaken ? 0 : Math.ceil(((1 - tokens) * 1000) / rate.perSecond);
    },
    get size() {
      return buckets.size;
    },
  };
}
