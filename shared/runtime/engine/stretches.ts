import type { UpdateRows } from '../../aggregation/engine.ts';
import { BLOCK } from '../../fixed-point/constants.ts';
import { growTo, type KernelMemory, type Memories } from './memories.ts';
import type { Threads } from './threads.ts';
import { planTile, powerOfTwoUpTo, ROW_BYTES, type WalkSizes } from './tile-plan.ts';
import type { Aggregation, RowSource, Walk, WalkPart } from './walk.ts';

/** What a walk over the updates is to bring. */
export type Wanted = Pick<
  Walk,
  'gram' | 'norms' | 'hash' | 'aggregation' | 'products' | 'newcomer' | 'output' | 'touch'
>;

/** Walks over updates wherever they are; returns what each thread found in each stretch. */
export type WalkOver = (places: readonly UpdateRows[], dimension: number, wanted: Wanted) => Promise<WalkPart[]>;

/** Ranges that every thread gets, about: the more, the less the last one is waited for. */
const RANGES_A_THREAD = 16;
const LEAST_RANGE_BLOCKS = 8;

/** Bytes of room that all threads may have together. */
const MOST_ROOM = 2 ** 30;

/**
 * Creates what walks over updates, given where to.
 *
 * Rows in files and rows in an engine's own memory are walked over at once. Others are copied first, a stretch at a time
 * and one ahead of the threads.
 */
export function createStretches(threads: Threads, memories: Memories, count: number, sizes: WalkSizes): WalkOver {
  return async (places, dimension, wanted) => {
    const inMemory = places.flatMap((place) => (place.place === 'memory' ? place.rows : []));
    const held = memories.holding(inMemory);
    const { id, memory, rowBytes } = held ?? memories.workspace;
    const copies = held === undefined ? inMemory : [];
    const n = places.reduce((sum, place) => sum + (place.place === 'memory' ? place.rows : place.paths).length, 0);
    const files = n > inMemory.length;
    const plan = planTile({ rows: n, ...needsOf(wanted.aggregation), gram: wanted.gram || wanted.norms, files }, sizes);

    // The sums of very many updates take room; with less of it than there are threads, some sit idle.
    const taking = Math.min(count, Math.max(1, Math.floor(MOST_ROOM / plan.bytes)));
    const blocks = Math.ceil(dimension / BLOCK);
    const fair = powerOfTwoUpTo(blocks / (taking * RANGES_A_THREAD));
    const most = Math.min(sizes.rangeBlocks, files ? plan.stagedBlocks : sizes.rangeBlocks);
    const rangeBlocks = Math.min(Math.max(fair, LEAST_RANGE_BLOCKS), powerOfTwoUpTo(most));

    const scratch = Math.ceil(rowBytes / ROW_BYTES) * ROW_BYTES;
    const copied = scratch + taking * plan.bytes;
    const stretch = copies.length === 0 ? dimension : copiedCoordinates(copies.length, rangeBlocks, dimension, sizes);
    const stretchBytes = Math.ceil(stretch / BLOCK) * ROW_BYTES;
    growTo(memory, copied + 2 * copies.length * stretchBytes);

    const found: Promise<WalkPart[]>[] = [];
    for (let from = 0; from < dimension; from += stretch) {
      const to = Math.min(from + stretch, dimension);
      const turn = found.length % 2;
      // The room was last read two stretches ago.
      await found.at(-2);
      const start = copied + turn * copies.length * stretchBytes;
      copyRows(copies, from, to, new Int16Array(memory.buffer, start), stretchBytes);
      const rows = sourcesOf(places, held, start - from * 2, stretchBytes);
      const next = new Int32Array(new SharedArrayBuffer(4));
      const soleRange = blocks <= rangeBlocks;
      const output = wanted.output?.subarray(from, to) ?? null;
      const aggregation = stretchOf(wanted.aggregation, from, to);
      const walk = { ...wanted, memory, memoryId: id, scratch, plan, rows, from, to, rangeBlocks, soleRange, next };
      found.push(
        threads.run({ ...walk, output, aggregation }, taking).then((parts) => shift(parts, from, rangeBlocks)),
      );
      // Whoever awaits it hears of it; until then it is not unhandled.
      found.at(-1)?.catch(() => undefined);
    }
    return (await Promise.all(found)).flat();
  };
}

function needsOf(aggregation: Aggregation | null): { mixedRows: number; listBytes: number } {
  if (aggregation?.kind === 'sum') return { mixedRows: 0, listBytes: aggregation.weights.byteLength };
  const mixing = aggregation?.kind === 'reduce' ? aggregation.mixing : null;
  return { mixedRows: mixing?.rows ?? 0, listBytes: mixing?.lists.byteLength ?? 0 };
}

/** Whole ranges, so that subtrees of all stretches stand at one height. */
function copiedCoordinates(rows: number, rangeBlocks: number, dimension: number, sizes: WalkSizes): number {
  const range = rangeBlocks * BLOCK;
  return Math.min(dimension, Math.max(1, Math.floor(sizes.copiedBytes / (rows * 2 * range))) * range);
}

function copyRows(rows: readonly Int16Array[], from: number, to: number, into: Int16Array, strideBytes: number): void {
  for (const [row, values] of rows.entries()) into.set(values.subarray(from, to), (row * strideBytes) / 2);
}

/** Where each row is; `copied` is where coordinate 0 of the first copied row would be. */
function sourcesOf(
  places: readonly UpdateRows[],
  held: KernelMemory | undefined,
  copied: number,
  strideBytes: number,
): RowSource[] {
  let copies = 0;
  return places.flatMap<RowSource>((place) => {
    if (place.place === 'files') return place.paths.map((path) => ({ path }));
    return place.rows.map((row) => ({ at: held === undefined ? copied + strideBytes * copies++ : row.byteOffset }));
  });
}

function stretchOf(aggregation: Aggregation | null, from: number, to: number): Aggregation | null {
  if (aggregation?.kind !== 'given') return aggregation;
  return { ...aggregation, aggregate: aggregation.aggregate.subarray(from, to) };
}

/** Numbers ranges from the beginning of the vectors, not of the stretch. */
function shift(parts: readonly WalkPart[], from: number, rangeBlocks: number): WalkPart[] {
  const first = from / (rangeBlocks * BLOCK);
  return parts.map((part) => ({
    ...part,
    subtrees: part.subtrees.map((subtree) => ({ ...subtree, range: first + subtree.range })),
  }));
}
