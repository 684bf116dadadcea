import { BLOCK } from '../../fixed-point/constants.ts';

/** Bytes of one row of a block of int16. */
export const ROW_BYTES: number = BLOCK * 2;

/** Rows by threes and their sums, as the Gram kernel takes them. */
export const TRIPLE = 3;
const NINE_BYTES = 9 * 16;

/** Bytes before the first row of a block. */
const HEAD_BYTES = 64;

/** Rows that sums take at a time. */
export const SUM_ROWS = 8;

/** How much is worked on at a time. None of it changes a result. */
export interface WalkSizes {
  /** Bytes of a tile, about. It should stay in the second-level cache while one kernel after the other works on it. */
  readonly tileBytes: number;
  /** Bytes that a thread reads from files at a time, about. */
  readonly stagedBytes: number;
  /** Bytes of updates that are copied at a time, twice, if they are not where kernels can read them. */
  readonly copiedBytes: number;
  /** Blocks that a thread takes at a time, at most. */
  readonly rangeBlocks: number;
}

/** The sizes that an engine uses unless told otherwise. */
export const WALK_SIZES: WalkSizes = {
  tileBytes: 2 ** 19,
  stagedBytes: 2 ** 23,
  copiedBytes: 2 ** 24,
  rangeBlocks: 256,
};

/** Blocks of one row that are read from a file at a time, at most: 64 KiB. */
const MOST_STAGED_BLOCKS = 512;

/** Where a thread keeps what in its room; addresses from the room's beginning, in bytes. */
export interface TilePlan {
  /** Blocks of a tile, a power of two. */
  readonly tileBlocks: number;
  /** Rows by threes, the last filled up with zeros. */
  readonly triples: number;
  /** From one block of a tile to the next: its rows, and before them room for a leaf's tag. */
  readonly blockBytes: number;
  /** In a block, the first of three rows that stand apart: the aggregate's halves, or a newcomer. */
  readonly apart: number;
  /** In a block, a row of zeros. */
  readonly zeroRow: number;
  /** The tile: the first row of its first block. */
  readonly tile: number;
  /** Reduced values or aggregate of a tile: 8 bytes a coordinate. */
  readonly values: number;
  /** Mixed rows of one block, 8 bytes a coordinate. */
  readonly mixed: number;
  /** Room for a network. */
  readonly network: number;
  /** Weights or mixing lists. */
  readonly lists: number;
  /** Addresses of the rows. */
  readonly runs: number;
  /** Zeros, as many as a row has in a tile. */
  readonly zeros: number;
  /** Sums of the Gram kernel. */
  readonly gramSums: number;
  /** Bytes of them. */
  readonly gramBytes: number;
  /** Sums of the products kernel. */
  readonly productSums: number;
  /** Bytes of them. */
  readonly productBytes: number;
  /** What is read from files: one stretch a row. */
  readonly staging: number;
  /** Blocks of such a stretch, a power of two. */
  readonly stagedBlocks: number;
  /** All of it. */
  readonly bytes: number;
}

/** What decides how much room a thread needs. */
export interface TileNeeds {
  /** Rows. */
  readonly rows: number;
  /** Rows after mixing, 0 without. */
  readonly mixedRows: number;
  /** Bytes of weights or lists. */
  readonly listBytes: number;
  /** Whether inner products of the rows are wanted. */
  readonly gram: boolean;
  /** Whether rows come from files. */
  readonly files: boolean;
}

/** Lays out a thread's room. */
export function planTile({ rows, mixedRows, listBytes, gram, files }: TileNeeds, sizes: WalkSizes): TilePlan {
  const triples = Math.ceil(rows / TRIPLE);
  const apart = Math.ceil((rows + 1) / TRIPLE) * TRIPLE;
  const blockRows = Math.max(apart + TRIPLE, Math.ceil(rows / SUM_ROWS) * SUM_ROWS);
  const blockBytes = HEAD_BYTES + blockRows * ROW_BYTES;
  const tileBlocks = powerOfTwoUpTo(sizes.tileBytes / blockBytes);
  const stagedBlocks = Math.min(MOST_STAGED_BLOCKS, powerOfTwoUpTo(sizes.stagedBytes / (rows * ROW_BYTES)));
  const gramBytes = gram ? ((triples * (triples + 1)) / 2) * NINE_BYTES : 0;
  const productBytes = (triples + 1) * NINE_BYTES;
  let bytes = 0;
  const take = (size: number): number => {
    const at = bytes;
    bytes += Math.ceil(size / 64) * 64;
    return at;
  };
  return {
    tileBlocks,
    triples,
    blockBytes,
    apart: apart * ROW_BYTES,
    zeroRow: rows * ROW_BYTES,
    tile: take(tileBlocks * blockBytes) + HEAD_BYTES,
    values: take(tileBlocks * BLOCK * 8),
    mixed: take(mixedRows * BLOCK * 8),
    network: take(Math.max(rows, mixedRows) * 16),
    lists: take(listBytes),
    runs: take((blockRows + SUM_ROWS) * 4),
    zeros: take(tileBlocks * ROW_BYTES),
    gramSums: take(gramBytes),
    gramBytes,
    productSums: take(productBytes),
    productBytes,
    staging: take(files ? rows * stagedBlocks * ROW_BYTES : 0),
    stagedBlocks,
    bytes,
  };
}

/** The largest power of two up to a bound, at least 1. */
export function powerOfTwoUpTo(bound: number): number {
  return bound < 2 ? 1 : 2 ** Math.floor(Math.log2(bound));
}
