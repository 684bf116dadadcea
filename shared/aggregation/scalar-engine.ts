import { matrixTree } from '../commitments/vector-trees.ts';
import { reduceCoordinates, sumWeighted } from './aggregate-integers.ts';
import { checkUpdates } from './check-rows.ts';
import type {
  AggregateProducts,
  AggregationEngine,
  FileRows,
  MemoryRows,
  PassRequest,
  PassResult,
  UpdateRows,
} from './engine.ts';
import { starMatrix } from './engine.ts';
import { EngineError } from './engine-error.ts';
import { appendAggregate, gramMatrix } from './gram.ts';
import { createIncrementalGram } from './incremental-gram.ts';

/** Reads updates from files into memory, all of them. */
export type LoadRows = (rows: FileRows) => Promise<MemoryRows>;

/** What a scalar engine may be given. */
export interface ScalarEngineOptions {
  /** Reads updates that are in files; without it they are refused with `engine/no-files`. */
  readonly load?: LoadRows;
}

/**
 * The scalar reference as an engine: one thread, the caller's, and all updates in memory. It is what other engines are
 * compared with, and what tests and small tools need no threads for.
 */
export function createScalarEngine({ load }: ScalarEngineOptions = {}): AggregationEngine {
  const inMemory = async (rows: UpdateRows): Promise<readonly Int16Array[]> => {
    if (rows.place === 'memory') return rows.rows;
    if (load !== undefined) return (await load(rows)).rows;
    const sentence = 'the scalar engine was given nothing that reads files: give it `load`, or rows in memory';
    throw new EngineError('engine/no-files', sentence);
  };

  const pass = async (given: UpdateRows, request: PassRequest): Promise<PassResult> => {
    const rows = await inMemory(given);
    const dimension = checkUpdates(rows);
    const aggregate = request.aggregate === undefined ? null : aggregateOf(rows, dimension, request.aggregate);
    return {
      gram: request.gram ? gramMatrix(rows) : null,
      matrixRoot: request.matrixRoot ? matrixTree(rows).root : null,
      aggregate,
      products: request.products && aggregate !== null ? productsOf(rows, aggregate) : null,
    };
  };

  return {
    threads: 1,
    pass,
    gram: async (rows) => gramMatrix(await inMemory(rows)),
    gramRow: async (rows, row) => {
      const gram = gramMatrix(await inMemory(rows));
      const norms = gram.map((line, i) => line[i] as bigint);
      return starMatrix(row, gram[row] as bigint[], norms);
    },
    reduce: async (rows, reduction) => (await pass(rows, { aggregate: reduction })).aggregate as Int32Array,
    combine: async (rows, weights) => (await pass(rows, { aggregate: { weights } })).aggregate as Int32Array,
    products: async (rows, aggregate) => {
      const all = await inMemory(rows);
      checkUpdates(all);
      return productsOf(all, aggregate);
    },
    matrixRoot: async (rows) => (await pass(rows, { matrixRoot: true })).matrixRoot as Uint8Array,
    allocate: (n, dimension) => ({ place: 'memory', rows: Array.from({ length: n }, () => new Int16Array(dimension)) }),
    incrementalGram: () =>
      createIncrementalGram(async (others, row) => {
        const [one] = (await inMemory(row)) as [Int16Array];
        checkUpdates([one]);
        const rows = await Promise.all(others.map(async (other) => (await inMemory(other))[0] as Int16Array));
        return [...rows, one].map((other) => gramMatrix([one, other])[0]?.[1] as bigint);
      }),
    close: async () => {},
  };
}

function aggregateOf(
  rows: readonly Int16Array[],
  dimension: number,
  wanted: NonNullable<PassRequest['aggregate']>,
): Int32Array {
  if ('weights' in wanted) return sumWeighted(rows, dimension, wanted.weights);
  return reduceCoordinates(rows, dimension, wanted.rule, wanted.f, wanted.mixing);
}

function productsOf(rows: readonly Int16Array[], aggregate: Int32Array): AggregateProducts {
  const empty = rows.map(() => []);
  const last = appendAggregate(empty, rows, aggregate).at(-1) as bigint[];
  return { along: last.slice(0, -1), own: last.at(-1) as bigint };
}
