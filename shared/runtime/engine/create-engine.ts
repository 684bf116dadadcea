import { availableParallelism } from 'node:os';
import { checkLengths, checkMagnitudes, outOfRange } from '../../aggregation/check-rows.ts';
import type { MeasurableEngine, PassRequest, PassResult, Reduction, UpdateRows } from '../../aggregation/engine.ts';
import { starMatrix } from '../../aggregation/engine.ts';
import { createIncrementalGram } from '../../aggregation/incremental-gram.ts';
import { buildTree, TREE } from '../../commitments/merkle-tree.ts';
import { AGGREGATE_FRACTION_BITS, MAX_UPDATE } from '../../fixed-point/constants.ts';
import { createCoordinateKernels } from './coordinate-kernels.ts';
import { kernelWeights } from './kernel-inputs.ts';
import { readGram, readNewcomer, readNorms, readProducts } from './kernel-outputs.ts';
import { readKernels } from './kernels.ts';
import { createMemories } from './memories.ts';
import { reduceByReference } from './reduce-by-reference.ts';
import { createStretches, type Wanted } from './stretches.ts';
import { createThreads } from './threads.ts';
import { WALK_SIZES, type WalkSizes } from './tile-plan.ts';
import type { Aggregation, Fault, WalkPart } from './walk.ts';
import { earlier } from './walk-ranges.ts';

/** Largest magnitude of an aggregate's coordinate. */
const MOST_AGGREGATE = MAX_UPDATE * 2 ** AGGREGATE_FRACTION_BITS;

/** How an engine is set up. */
export interface EngineOptions {
  /** Threads that compute beside the caller's; one a processor unless given. */
  readonly threads?: number;
  /** How much is worked on at a time; the defaults unless given. */
  readonly sizes?: Partial<WalkSizes>;
}

/**
 * Creates an aggregation engine of WebAssembly kernels in threads.
 *
 * Threads start with the first call and do not keep the process alive while idle. One walk over the updates is done at a
 * time, in blocks; so memory does not grow with the dimension, the aggregate itself excepted. Calls that no kernel
 * serves, such as a median of more than 256 updates, are computed by the scalar reference.
 */
export function createEngine({
  threads: count = availableParallelism(),
  sizes = {},
}: EngineOptions = {}): MeasurableEngine {
  const threads = createThreads(count, new WebAssembly.Module(readKernels()));
  const memories = createMemories();
  const coordinateKernels = createCoordinateKernels();
  const walk = createStretches(threads, memories, count, { ...WALK_SIZES, ...sizes });
  let turn: Promise<unknown> = Promise.resolve();

  /** One walk at a time: they share the workspace. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  const walkOver = async (places: readonly UpdateRows[], wanted: Partial<Wanted>): Promise<WalkPart[]> => {
    const parts = await walk(places, sizeOf(places).dimension, { ...NOTHING, ...wanted });
    const fault = firstFault(parts);
    if (fault !== null) throw outOfRange(`update ${fault.row}`, fault.coordinate, fault.value, MAX_UPDATE);
    return parts;
  };

  /** Rows of weight 0 are not read at all: Krum reads one. */
  const combine = async (rows: UpdateRows, weights: readonly number[]): Promise<Int32Array> => {
    const output = sharedInt32(sizeOf([rows]).dimension);
    // Rows of one weight stand together, which makes means cheaper.
    const weighty = [...weights.keys()].filter((row) => weights[row] !== 0);
    const chosen = weighty.sort((a, b) => (weights[a] as number) - (weights[b] as number));
    if (chosen.length === 0) chosen.push(0);
    const aggregation = { kind: 'sum', ...kernelWeights(chosen.map((row) => weights[row] as number)) } as const;
    const parts = await walk([chooseRows(rows, chosen)], output.length, { ...NOTHING, aggregation, output });
    // Rows have other numbers here: a walk over all of them finds the first fault.
    if (firstFault(parts) !== null) await walkOver([rows], {});
    return output;
  };

  const reduction = async (rows: UpdateRows, wanted: Reduction, output: Int32Array): Promise<Aggregation> => {
    const prepared = await coordinateKernels.prepare(wanted, sizeOf([rows]).n);
    if (prepared !== undefined) return prepared;
    // The reference is handed rows that were looked at.
    await walkOver([rows], {});
    await reduceByReference(rows, wanted, output);
    return { kind: 'given', aggregate: output };
  };

  const pass = async (rows: UpdateRows, request: PassRequest): Promise<PassResult> => {
    const { n, dimension } = sizeOf([rows]);
    const { aggregate: how, gram = false, matrixRoot: hash = false } = request;
    const output = how === undefined ? null : sharedInt32(dimension);
    let aggregation: Aggregation | null = null;
    if (how !== undefined && output !== null) {
      aggregation =
        'weights' in how ? { kind: 'sum', ...kernelWeights(how.weights) } : await reduction(rows, how, output);
    }
    const products = request.products === true && aggregation !== null;
    const parts = await walkOver([rows], { gram, hash, aggregation, output, products });
    return {
      gram: gram ? readGram(present(parts, 'gram'), n) : null,
      matrixRoot: hash ? joinSubtrees(parts) : null,
      aggregate: output,
      products: products ? readProducts(present(parts, 'products'), n) : null,
    };
  };

  return {
    threads: count,
    pass: (rows, request) => inTurn(() => pass(rows, request)),
    gram: (rows) => inTurn(async () => (await pass(rows, { gram: true })).gram as bigint[][]),
    gramRow: (rows, row) =>
      inTurn(async () => {
        const { n } = sizeOf([rows]);
        const parts = await walkOver([rows, chooseRows(rows, [row])], { newcomer: true, norms: true });
        return starMatrix(row, readNewcomer(present(parts, 'products'), n), readNorms(present(parts, 'gram'), n));
      }),
    reduce: (rows, reduction) =>
      inTurn(async () => (await pass(rows, { aggregate: reduction })).aggregate as Int32Array),
    combine: (rows, weights) => inTurn(() => combine(rows, weights)),
    products: (rows, aggregate) =>
      inTurn(async () => {
        const { n, dimension } = sizeOf([rows]);
        checkLengths([{ length: dimension }, aggregate]);
        checkMagnitudes('the aggregate', aggregate, MOST_AGGREGATE);
        const given = sharedInt32(dimension);
        given.set(aggregate);
        const parts = await walkOver([rows], { aggregation: { kind: 'given', aggregate: given }, products: true });
        return readProducts(present(parts, 'products'), n);
      }),
    matrixRoot: (rows) => inTurn(async () => (await pass(rows, { matrixRoot: true })).matrixRoot as Uint8Array),
    allocate: (n, dimension) => memories.allocate(n, dimension),
    incrementalGram: () =>
      createIncrementalGram((others, row) =>
        inTurn(async () => {
          const parts = await walkOver([...others, row], { newcomer: true });
          return readNewcomer(present(parts, 'products'), others.length);
        }),
      ),
    readOnce: (rows) => inTurn(async () => void (await walkOver([rows], { touch: true }))),
    close: () => threads.close(),
  };
}

/** What is wanted of a walk unless it says so: a look at every coordinate. */
const NOTHING: Wanted = {
  gram: false,
  norms: false,
  hash: false,
  aggregation: null,
  products: false,
  newcomer: false,
  output: null,
  touch: false,
};

function sizeOf(places: readonly UpdateRows[]): { n: number; dimension: number } {
  const rows = places.flatMap<{ readonly length: number }>((place) =>
    place.place === 'memory' ? place.rows : place.paths.map(() => ({ length: place.dimension })),
  );
  return { n: rows.length, dimension: checkLengths(rows) };
}

function chooseRows(rows: UpdateRows, chosen: readonly number[]): UpdateRows {
  if (rows.place === 'files') return { ...rows, paths: chosen.map((row) => rows.paths[row] as string) };
  return { ...rows, rows: chosen.map((row) => rows.rows[row] as Int16Array) };
}

function firstFault(parts: readonly WalkPart[]): Fault | null {
  return parts.reduce<Fault | null>((first, part) => earlier(first, part.fault), null);
}

function sharedInt32(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * 4));
}

function present(parts: readonly WalkPart[], sums: 'gram' | 'products'): BigInt64Array[] {
  return parts.flatMap((part) => part[sums] ?? []);
}

function joinSubtrees(parts: readonly WalkPart[]): Uint8Array {
  const subtrees = parts.flatMap((part) => part.subtrees).sort((a, b) => a.range - b.range);
  const roots = subtrees.map(({ root }) => root);
  return buildTree(TREE.matrix, roots, subtrees[0]?.height ?? 0).root;
}
