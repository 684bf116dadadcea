import { buildTree, leafHashInPlace, nodeHash, paddingAt, TREE } from '../../commitments/merkle-tree.ts';
import { BLOCK, MAX_UPDATE } from '../../fixed-point/constants.ts';
import { SPLIT_PAIR_BYTES } from './kernel-inputs.ts';
import type { CoordinateKernel, Kernels } from './kernels.ts';
import { openRows, type RowReaders } from './row-readers.ts';
import { ROW_BYTES, SUM_ROWS } from './tile-plan.ts';
import type { Aggregation, Fault, Subtree, Walk, WalkPart, WeightGroup } from './walk.ts';

/** Instances of the kernels over one memory. */
export interface KernelSet {
  /** The compiled kernels. */
  readonly kernels: Kernels;
  /** The kernel of a coordinate rule. */
  coordinate(name: string, module: WebAssembly.Module): CoordinateKernel;
}

/**
 * One thread's part of a walk: takes ranges until none is left and does with each tile, while it is in the cache,
 * everything that is wanted.
 *
 * @throws RowUnreadable
 */
export function walkRanges(walk: Walk, thread: number, { kernels, coordinate }: KernelSet): WalkPart {
  const { plan, aggregation } = walk;
  const room = walk.scratch + thread * plan.bytes;
  const bytes = new Uint8Array(walk.memory.buffer);
  const tile = room + plan.tile;
  const values = room + plan.values;
  const apart = tile + plan.apart;
  const others = walk.newcomer ? walk.rows.length - 1 : walk.rows.length;
  bytes.fill(0, room, room + plan.staging);
  bytes.set(listsOf(aggregation), room + plan.lists);

  const readers = openRows(bytes, walk.rows, room + plan.staging, plan.stagedBlocks);
  const kernel = aggregation?.kind === 'reduce' ? coordinate(aggregation.name, aggregation.module) : null;
  const subtrees: Subtree[] = [];
  let fault: Fault | null = null;
  try {
    const rangeCoordinates = walk.rangeBlocks * BLOCK;
    for (let range = take(); range * rangeCoordinates < walk.to - walk.from; range = take()) {
      const from = walk.from + range * rangeCoordinates;
      const to = Math.min(from + rangeCoordinates, walk.to);
      readers.stage(from, to);
      const leaves: Uint8Array[] = [];
      for (let at = from; at < to; at += plan.tileBlocks * BLOCK) {
        const end = Math.min(at + plan.tileBlocks * BLOCK, to);
        if (walk.touch) touchTile(at, end);
        else if (aggregation?.kind === 'sum' && isAlone(walk)) sumTile(aggregation, at, end);
        else walkTile(at, end, leaves);
      }
      if (walk.hash) subtrees.push({ range, ...subtreeOf(leaves, walk) });
    }
  } finally {
    readers.close();
  }
  const sums = (at: number, length: number): BigInt64Array =>
    new BigInt64Array(bytes.slice(room + at, room + at + length).buffer);
  return {
    gram: walk.gram || walk.norms ? sums(plan.gramSums, plan.gramBytes) : null,
    products: walk.products || walk.newcomer ? sums(plan.productSums, plan.productBytes) : null,
    subtrees,
    fault,
  };

  function take(): number {
    return Atomics.add(walk.next, 0, 1);
  }

  function touchTile(from: number, to: number): void {
    for (let row = 0; row < others; row += 1) kernels.read(readers.addressOf(row, from), (to - from) * 2);
  }

  function walkTile(from: number, to: number, leaves: Uint8Array[]): void {
    const { blockBytes } = plan;
    const blocks = Math.ceil((to - from) / BLOCK);
    for (let row = 0; row < walk.rows.length; row += 1) {
      const place = row < others ? tile + row * ROW_BYTES : apart;
      const sound = kernels.scatter(readers.addressOf(row, from), to - from, place, blockBytes);
      if (sound === 0) noteFault(row, from, to);
    }
    // Sums of what is out of range may not be exact; the walk goes on only to find the first fault of all.
    if (fault !== null) return;
    if (walk.gram) kernels.gram(tile, blocks, blockBytes, plan.triples, room + plan.gramSums);
    if (walk.norms) kernels.norms(tile, blocks, blockBytes, plan.triples, room + plan.gramSums);
    if (aggregation !== null) aggregate(aggregation, from, to, blocks);
    if (walk.products || walk.newcomer) {
      if (walk.products) kernels.split(values, blocks, apart, blockBytes);
      kernels.products(apart, tile, blocks, blockBytes, plan.triples, room + plan.productSums);
    }
    if (walk.hash) {
      for (let block = 0; block < blocks; block += 1) {
        const start = tile + block * blockBytes;
        leaves.push(leafHashInPlace(TREE.matrix, bytes.subarray(start - 2, start + others * ROW_BYTES)));
      }
    }
  }

  /** A sum alone needs no blocks. */
  function sumTile(sum: Aggregation & { kind: 'sum' }, from: number, to: number): void {
    const whole = Math.floor((to - from) / BLOCK) * BLOCK;
    const spare = values + plan.tileBlocks * BLOCK * 4;
    const sound = sum.groups === null ? sumSplit() : sumGroups(sum.groups);
    if (!sound) for (let row = 0; row < others; row += 1) noteFault(row, from, from + whole);
    walk.output?.set(new Int32Array(bytes.buffer, values, whole), from - walk.from);
    if (from + whole < to) walkTile(from + whole, to, []);

    function sumSplit(): boolean {
      const { at, count } = runsOf(0, others, from);
      return kernels.combineRuns(at, count, room + plan.lists, whole, values, spare) === 1;
    }

    function sumGroups([one, two]: readonly WeightGroup[]): boolean {
      const first = runsOf(0, one?.rows ?? 0, from);
      let sound = kernels.addRuns(first.at, first.count, whole, values);
      const second = runsOf(one?.rows ?? 0, two?.rows ?? 0, from);
      sound *= kernels.addRuns(second.at, second.count, whole, spare);
      kernels.weigh(values, spare, one?.weight ?? 0, two?.weight ?? 0, whole);
      return sound === 1;
    }
  }

  /** Writes down where some rows are, filled up with zeros. */
  function runsOf(first: number, rows: number, from: number): { at: number; count: number } {
    const count = Math.ceil(rows / SUM_ROWS) * SUM_ROWS;
    const runs = new Int32Array(bytes.buffer, room + plan.runs, count);
    for (let at = 0; at < count; at += 1) {
      runs[at] = at < rows ? readers.addressOf(first + at, from) : room + plan.zeros;
    }
    return { at: runs.byteOffset, count };
  }

  function noteFault(row: number, from: number, to: number): void {
    fault = earlier(fault, firstFault(bytes, readers, row, from, to));
  }

  function aggregate(how: Aggregation, from: number, to: number, blocks: number): void {
    const { blockBytes } = plan;
    const lists = room + plan.lists;
    const view = new Int32Array(bytes.buffer, values, blocks * BLOCK);
    if (how.kind === 'given') {
      view.fill(0, to - from);
      view.set(how.aggregate.subarray(from - walk.from, to - walk.from));
      return;
    }
    if (how.kind === 'sum') {
      if (how.wide) kernels.combineWide(tile, blocks, blockBytes, others, lists, values);
      else kernels.combine(tile, blocks, blockBytes, rowsWeighted(how.weights), lists, values);
    } else {
      reduce(how, blocks);
    }
    walk.output?.set(view.subarray(0, to - from), from - walk.from);
  }

  function reduce(how: Aggregation & { kind: 'reduce' }, blocks: number): void {
    const { blockBytes } = plan;
    const { run } = kernel as CoordinateKernel;
    const wide = how.lanes === 'float64';
    const [network, mixed, lists] = [room + plan.network, room + plan.mixed, room + plan.lists];
    if (how.mixing === null) {
      run(tile, blocks, blockBytes, values, network);
    } else {
      const reducedBytes = BLOCK * (wide ? 8 : 4);
      for (let block = 0; block < blocks; block += 1) {
        const rows = tile + block * blockBytes;
        if (wide) kernels.mixWide(rows, lists, how.mixing.rows, mixed);
        else kernels.mix(rows, others, lists, how.mixing.rows, mixed);
        run(mixed, 1, 0, values + block * reducedBytes, network);
      }
    }
    if (wide) kernels.divideWide(values, blocks * BLOCK, how.denominator, values);
    else kernels.divide(values, blocks * BLOCK, how.denominator);
  }
}

/** Whether a sum by split weights is all that is wanted. */
function isAlone({ aggregation, gram, hash, products, newcomer }: Walk): boolean {
  return aggregation?.kind === 'sum' && !aggregation.wide && !gram && !hash && !products && !newcomer;
}

function rowsWeighted(weights: Uint8Array): number {
  return (weights.length / SPLIT_PAIR_BYTES) * 2;
}

function listsOf(aggregation: Aggregation | null): Uint8Array {
  if (aggregation?.kind === 'sum') return aggregation.weights;
  if (aggregation?.kind === 'reduce' && aggregation.mixing !== null) return aggregation.mixing.lists;
  return new Uint8Array(0);
}

/** Root of a range's leaves; a range that is not the only one stands at the height of a full one. */
function subtreeOf(leaves: readonly Uint8Array[], walk: Walk): { root: Uint8Array; height: number } {
  const tree = buildTree(TREE.matrix, leaves);
  let { root, depth: height } = tree;
  if (walk.soleRange) return { root, height };
  for (; height < Math.log2(walk.rangeBlocks); height += 1) {
    root = nodeHash(TREE.matrix, height + 1, root, paddingAt(TREE.matrix, height));
  }
  return { root, height };
}

function firstFault(bytes: Uint8Array, readers: RowReaders, row: number, from: number, to: number): Fault | null {
  const values = new Int16Array(bytes.slice(readers.addressOf(row, from), readers.addressOf(row, to)).buffer);
  const at = values.findIndex((value) => value > MAX_UPDATE || value < -MAX_UPDATE);
  return at < 0 ? null : { row, coordinate: from + at, value: values[at] as number };
}

/** The fault of the lower row, of two in one row the one further ahead; so it does not matter who found which. */
export function earlier(a: Fault | null, b: Fault | null): Fault | null {
  if (a === null || b === null) return a ?? b;
  return b.row < a.row || (b.row === a.row && b.coordinate < a.coordinate) ? b : a;
}
