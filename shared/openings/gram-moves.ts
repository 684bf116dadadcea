import { TREE } from '../commitments/merkle-tree.ts';
import { gramRow, gramTree } from '../commitments/number-trees.ts';
import { blockTree } from '../commitments/vector-trees.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { type Leaf, NO_LEAF, openMatrix, openVector, proofAt } from './leaf.ts';
import { noData, OpeningError } from './opening-error.ts';
import { type RoundView, stretches } from './round-view.ts';
import type { GramSubject } from './subject.ts';

/** Parts that a sum is divided into at each move. */
const PARTS = 32;

type Entry = Pick<GramSubject, 'row' | 'column'>;

/** Blocks that are in question. */
export interface Span {
  /** First of them. */
  readonly first: number;
  /** How many. */
  readonly span: number;
}

/** The first move over an entry: its row as committed to, and the entry divided. */
export interface GramEntry {
  /** The row of the Gram matrix. */
  readonly row: Leaf;
  /** Partial sums over all blocks. */
  readonly sums: readonly bigint[];
}

/** The last move over an entry: `IGramJudge.BlockOpening`. */
export interface BlockOpening {
  /** The block of all updates; empty where only the aggregate is multiplied. */
  readonly matrix: Leaf;
  /** The block of the aggregate; empty where it is not multiplied. */
  readonly aggregate: Leaf;
}

/** Blocks that one partial sum of `span` blocks covers: the greatest power of 32 below it. */
export function partOf(span: number): number {
  let part = 1;
  while (part * PARTS < span) part *= PARTS;
  return part;
}

/**
 * Inner product of two rows over each part of a span, as they are committed to: n + 1 rows, the aggregate's last.
 *
 * @throws OpeningError `opening/no-data`
 */
export async function gramSums(view: RoundView, { row, column }: Entry, { first, span }: Span): Promise<bigint[]> {
  const n = view.record.participants;
  const part = partOf(span);
  const sums = Array.from({ length: Math.ceil(span / part) }, () => 0n);
  const aggregate = row === n || column === n ? await view.vector('aggregate') : null;
  if ((row === n || column === n) && aggregate === null) throw noData('aggregate');
  if (aggregate !== null && row === n && column === n) {
    for (let block = 0; block < span; block++) {
      const values = aggregate.subarray((first + block) * BLOCK, (first + block + 1) * BLOCK);
      add(sums, Math.floor(block / part), blockProduct(values, values, 0));
    }
    return sums;
  }
  if (view.updates === null) throw noData('updates');
  const rows = row === n ? [column] : column === n ? [row] : [row, column];
  for await (const stretch of stretches(view.updates, rows, first, span)) {
    const left = stretch.rows[0] as Int16Array;
    const right = aggregate?.subarray(stretch.first * BLOCK, (stretch.first + stretch.count) * BLOCK);
    for (let block = 0; block < stretch.count; block++) {
      const product = blockProduct(left, right ?? (stretch.rows[1] as Int16Array), block);
      add(sums, Math.floor((stretch.first - first + block) / part), product);
    }
  }
  return sums;
}

/**
 * The coordinator's first move.
 *
 * @throws OpeningError `opening/no-data`, `opening/out-of-range`
 */
export async function openGramEntry(view: RoundView, entry: Entry): Promise<GramEntry> {
  const { gram } = view.document;
  const cells = gram[entry.row];
  if (cells === undefined) throw new OpeningError('opening/out-of-range', `the Gram matrix has no row ${entry.row}`);
  const row = { data: gramRow(cells), proof: proofAt(TREE.gram, gramTree(gram), entry.row) };
  return { row, sums: await gramSums(view, entry, { first: 0, span: blocksOf(view) }) };
}

/**
 * The coordinator's last move, once one block is left.
 *
 * @throws OpeningError `opening/no-data`, `opening/out-of-range`
 */
export async function openGramBlock(view: RoundView, { row, column }: Entry, block: number): Promise<BlockOpening> {
  const n = view.record.participants;
  const needsMatrix = row < n || column < n;
  const needsAggregate = row === n || column === n;
  if (needsMatrix && view.updates === null) throw noData('updates');
  const aggregate = needsAggregate ? await view.vector('aggregate') : null;
  if (needsAggregate && aggregate === null) throw noData('aggregate');
  return {
    matrix: needsMatrix && view.updates !== null ? await openMatrix(view.updates, block) : NO_LEAF,
    aggregate:
      aggregate === null ? NO_LEAF : openVector(TREE.aggregate, blockTree(TREE.aggregate, aggregate), aggregate, block),
  };
}

/**
 * The challenger's move: which of the sums that the coordinator has posted is wrong.
 *
 * @param sums - what was posted
 * @returns index of the first wrong one, undefined if all are right, which means that the entry is
 * @throws OpeningError `opening/no-data`
 */
export async function wrongSum(
  view: RoundView,
  entry: Entry,
  span: Span,
  sums: readonly bigint[],
): Promise<number | undefined> {
  const right = await gramSums(view, entry, span);
  const index = right.findIndex((sum, at) => sum !== sums[at]);
  return index < 0 ? undefined : index;
}

function blocksOf({ terms }: RoundView): number {
  return terms.layout.dimension / BLOCK;
}

/** Of two aggregates, the largest there are, 64 products stay below 2^49: exact in a double. */
function blockProduct(a: Int16Array | Int32Array, b: Int16Array | Int32Array, block: number): number {
  let sum = 0;
  for (let at = block * BLOCK; at < (block + 1) * BLOCK; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function add(sums: bigint[], part: number, product: number): void {
  sums[part] = (sums[part] as bigint) + BigInt(product);
}
