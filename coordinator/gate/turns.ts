/** Work that takes turns: so much of it at once, the others waiting in the order in which they came. */
export interface Turns {
  /** Does work in its turn; the turn is over when the work is, whatever came of it. */
  take<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Memory that the updates of one job may take while they are checked and stored, in bytes; at least one of them may. */
const UPDATES_BYTES = 64 * 2 ** 20;

/** Beyond this nothing is gained: it is what one write of the log takes together. */
const MOST_TURNS = 64;

/**
 * How many updates may be checked and stored at once within the memory that is set aside for it.
 *
 * @param updateBytes - bytes of one update
 */
export function turnsFor(updateBytes: number): number {
  return Math.min(MOST_TURNS, Math.max(1, Math.floor(UPDATES_BYTES / updateBytes)));
}

/**
 * Creates turns that are all free.
 *
 * @param atOnce - how much of the work may be under way at once
 */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return {
    take: async (work) => {
      if (free > 0) free--;
      // The turn is handed over: nobody who comes now can take it first.
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free++;
      }
    },
  };
}
