import type { Hex } from '../bytes.ts';
import type { RoundRecord } from '../commitments/record.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import type { CumulativeRewards } from '../round/cumulative-rewards.ts';
import type { RoundDocument } from '../round/document.ts';
import type { JobTerms } from '../round/job-terms.ts';

/** A record with the head that it extends. */
export interface PlacedRecord {
  /** The record. */
  readonly record: RoundRecord;
  /** Head of the chain before it, 26 bytes. */
  readonly parentHead: Hex;
}

/** Where a round stands in its job's chain, by what the chain tells. */
export interface RoundPosition extends PlacedRecord {
  /** The job. */
  readonly terms: JobTerms;
  /** The round before; null before round 1, or where it is not known. */
  readonly parent: PlacedRecord | null;
}

/** The updates of a round, wherever they are kept, read in stretches of blocks of 64 coordinates. */
export interface UpdateBlocks {
  /** Updates. */
  readonly n: number;
  /** Blocks of each. */
  readonly blocks: number;
  /**
   * A stretch of one update, 64 coordinates a block.
   *
   * @param row - position of the update in participant order
   * @param first - first block
   * @param count - blocks; the stretch may not end behind the last one
   */
  read(row: number, first: number, count: number): Promise<Int16Array>;
}

/** The large vectors of a round. */
export type VectorName = 'parentModel' | 'model' | 'aggregate' | 'parentState' | 'state';

/** A round as it was published. What is large is read when it is needed. */
export interface RoundView extends RoundPosition {
  /** The round's document. */
  readonly document: RoundDocument;
  /** Cumulative rewards before the round, as the document of the round before has them; none before round 1. */
  readonly parentRewards: CumulativeRewards;
  /** The updates in participant order, null where they are not to be had. */
  readonly updates: UpdateBlocks | null;
  /** A vector, null where there is none or it is not to be had. */
  vector(name: VectorName): Promise<Int32Array | null>;
}

/** Updates that are in memory. */
export function memoryBlocks(rows: readonly Int16Array[]): UpdateBlocks {
  return {
    n: rows.length,
    blocks: (rows[0]?.length ?? 0) / BLOCK,
    read: async (row, first, count) => (rows[row] as Int16Array).subarray(first * BLOCK, (first + count) * BLOCK),
  };
}

/** Blocks that are read of each update at once: 128 KiB. */
const STRETCH_BLOCKS = 1024;

/** A stretch of all updates. */
export interface Stretch {
  /** First block. */
  readonly first: number;
  /** Blocks. */
  readonly count: number;
  /** One array of 64 coordinates a block for each row that was asked for, in that order. */
  readonly rows: readonly Int16Array[];
}

/**
 * Walks over updates from a block to another, holding a bounded part of them at a time.
 *
 * @param rows - which updates
 * @param first - first block
 * @param count - blocks
 */
export async function* stretches(
  updates: UpdateBlocks,
  rows: readonly number[],
  first: number,
  count: number,
): AsyncGenerator<Stretch> {
  for (let at = first; at < first + count; at += STRETCH_BLOCKS) {
    const size = Math.min(STRETCH_BLOCKS, first + count - at);
    yield { first: at, count: size, rows: await Promise.all(rows.map((row) => updates.read(row, at, size))) };
  }
}

/** The positions of all updates. */
export function allRows({ n }: UpdateBlocks): number[] {
  return Array.from({ length: n }, (_, row) => row);
}
