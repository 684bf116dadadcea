import { join } from 'node:path';
import type { AggregationEngine, IncrementalGram } from '../shared/aggregation/engine.ts';
import type { Matrix } from '../shared/aggregation/rule.ts';
import type { Hex } from '../shared/bytes.ts';
import type { UpdateStatement } from '../shared/commitments/contribution.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { Log } from './log.ts';

/** The inner products of the open attempt's updates, made while others are still on their way. */
export interface Folding {
  /** An update was accepted: its blob is stored. Those of an attempt before are forgotten. */
  add(statement: Pick<UpdateStatement, 'round' | 'attempt' | 'updateRoot'>): void;
  /**
   * The n x n inner products of these updates, in this order; undefined where several are not folded in yet, for all at
   * once are quicker then than one after the other. Ends the folding of this attempt.
   */
  take(updateRoots: readonly Hex[]): Promise<Matrix<bigint> | undefined>;
}

/** What updates are folded with. */
export interface FoldingOptions {
  /** Multiplies. */
  readonly engine: AggregationEngine;
  /** Where updates lie. */
  readonly blobs: BlobStore;
  /** Coordinates of an update. */
  readonly dimension: number;
  /** Where to tell what went wrong. */
  readonly log: Log;
}

/** Every update that is folded in is multiplied with all before it: bytes to be read for that, at most. */
const MOST_BYTES_READ = 2 ** 28;

/** The last update is what a round closes by, so it is always still to be folded in. */
const MOST_WAITED_FOR = 2;

/** An attempt's updates. */
interface Attempt {
  readonly round: number;
  readonly attempt: number;
  readonly gram: IncrementalGram;
  readonly waiting: Hex[];
  folded: number;
  working: Promise<void>;
  /** Set once no more are to be folded in: the round has closed, they are too many, or one could not be read. */
  ended: boolean;
}

/**
 * Creates a folding. It saves time and decides nothing: the products are the exact ones, whenever they are made, and whatever
 * is amiss with a file is found by whoever holds it to its root when the round closes.
 */
export function createFolding({ engine, blobs, dimension, log }: FoldingOptions): Folding {
  const bytes = 2 * dimension;
  let open: Attempt | undefined;

  const work = async (own: Attempt): Promise<void> => {
    for (let id = own.waiting.shift(); id !== undefined && !own.ended; id = own.waiting.shift()) {
      try {
        const path = join(blobs.folder, blobs.relativePath(id));
        await own.gram.add(id, { place: 'files', paths: [path], dimension });
        own.folded++;
      } catch (error) {
        own.ended = true;
        log.warn({ updateRoot: id, error: (error as Error).message }, 'inner products are left until the round closes');
      }
    }
  };

  return {
    add: ({ round, attempt, updateRoot }) => {
      if (open?.round !== round || open.attempt !== attempt) {
        if (open) open.ended = true;
        const gram = engine.incrementalGram();
        open = { round, attempt, gram, waiting: [], folded: 0, working: Promise.resolve(), ended: false };
      }
      const own = open;
      if ((own.folded + own.waiting.length + 2) * bytes > MOST_BYTES_READ) own.ended = true;
      if (own.ended) return;
      own.waiting.push(updateRoot);
      own.working = own.working.then(() => work(own));
    },
    take: async (updateRoots) => {
      const own = open;
      open = undefined;
      if (own === undefined || own.ended) return undefined;
      own.ended = own.waiting.length > MOST_WAITED_FOR;
      await own.working;
      // An update that was accepted before a restart is not among them.
      return own.ended ? undefined : own.gram.matrix(updateRoots).catch(() => undefined);
    },
  };
}
