import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AggregationEngine, UpdateRows } from '../../shared/aggregation/engine.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';

/** Where the updates of one round at a time are kept while they are recomputed. */
export interface UpdateRoom {
  /**
   * Makes room for a round: whatever was kept before is gone.
   *
   * @param n - updates
   */
  clear(n: number): Promise<void>;
  /** Keeps an update. */
  put(row: number, update: Int16Array): Promise<void>;
  /** The updates that were put, valid until the next `clear`. */
  rows(): UpdateRows;
  /** Gives everything back. */
  close(): Promise<void>;
}

/** What a room is made of. */
export interface UpdateRoomOptions {
  /** What will read the updates. */
  readonly engine: AggregationEngine;
  /** Coordinates of an update. */
  readonly dimension: number;
  /** Most bytes of updates in memory: a round with more is kept in files of a temporary folder. */
  readonly memoryBytes: number;
}

/**
 * Creates a room. Memory is taken from the engine once and used again round after round, so that watching a job for ever
 * takes no more of it than its largest round.
 */
export function createUpdateRoom({ engine, dimension, memoryBytes }: UpdateRoomOptions): UpdateRoom {
  let memory: readonly Int16Array[] = [];
  let folder: string | undefined;
  let count = 0;
  let isInFiles = false;
  const path = (row: number): string => join(folder ?? '', `${row}.i16`);
  return {
    clear: async (n) => {
      count = n;
      isInFiles = n * dimension * Int16Array.BYTES_PER_ELEMENT > memoryBytes;
      if (isInFiles) folder ??= await mkdtemp(join(tmpdir(), 'fedanchor-updates-'));
      else if (memory.length < n) memory = engine.allocate(n, dimension).rows;
    },
    put: async (row, update) => {
      if (isInFiles) await writeFile(path(row), vectorBytes(update));
      else (memory[row] as Int16Array).set(update);
    },
    rows: () =>
      isInFiles
        ? { place: 'files', paths: Array.from({ length: count }, (_, row) => path(row)), dimension }
        : { place: 'memory', rows: memory.slice(0, count) },
    close: async () => {
      memory = [];
      if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      folder = undefined;
    },
  };
}
