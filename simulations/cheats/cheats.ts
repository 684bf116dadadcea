import type {
  AggregationEngine,
  IncrementalGram,
  PassRequest,
  PassResult,
  UpdateRows,
} from '../../shared/aggregation/engine.ts';

/** A lie that a coordinator tells about one round. */
export interface Cheat {
  /** Its name on the command line. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Whether a walk over the updates is the one to lie in. */
  readonly isTold: (request: PassRequest) => boolean;
  /** What the coordinator says that the walk brought. */
  readonly tell: (engine: AggregationEngine, rows: UpdateRows, truth: PassResult) => Promise<PassResult>;
}

/** How far a wrong coordinate is off, in units of an aggregate: small enough for nobody to feel it in the model. */
const OFF_BY = 4096;

/** What a cheating coordinator can be asked to do. */
export const CHEATS: readonly Cheat[] = [
  {
    name: 'coordinate',
    summary: 'moves one coordinate of the aggregate, and the model with it',
    isTold: ({ aggregate }) => aggregate !== undefined,
    tell: async (engine, rows, truth) => {
      if (truth.aggregate === null) return truth;
      const aggregate = Int32Array.from(truth.aggregate);
      aggregate[0] = (aggregate[0] as number) + ((aggregate[0] as number) > 0 ? -OFF_BY : OFF_BY);
      // All that follows from the lie is computed truly: the round is consistent in everything else.
      return { ...truth, aggregate, products: truth.products && (await engine.products(rows, aggregate)) };
    },
  },
  {
    name: 'gram',
    summary: 'writes a wrong inner product of two updates into the Gram matrix',
    isTold: ({ gram }) => gram === true,
    tell: async (_engine, _rows, truth) => {
      const wrong = (i: number, j: number): boolean => (i === 0 && j === 1) || (i === 1 && j === 0);
      const gram = truth.gram?.map((row, i) => row.map((entry, j) => (wrong(i, j) ? entry + 1n : entry))) ?? null;
      return { ...truth, gram };
    },
  },
];

/**
 * An engine that lies once and computes truly before and after. Everything else about its coordinator is honest, which
 * is how a lie would be hidden.
 *
 * @param engine - computes
 * @param cheat - the lie
 * @param time - which of the walks that it can be told in, from 1: with a rule that never fails, the round
 */
export function createLyingEngine(engine: AggregationEngine, cheat: Cheat, time: number): AggregationEngine {
  let walks = 0;
  const tell = async (request: PassRequest, rows: UpdateRows, truth: PassResult): Promise<PassResult> => {
    if (!cheat.isTold(request)) return truth;
    walks += 1;
    return walks === time ? cheat.tell(engine, rows, truth) : truth;
  };
  return {
    ...engine,
    pass: async (rows, request) => tell(request, rows, await engine.pass(rows, request)),
    // What was folded in as updates arrived takes the place of a walk.
    incrementalGram: () => {
      const folded = engine.incrementalGram();
      const matrix: IncrementalGram['matrix'] = async (ids) => {
        const gram = (await folded.matrix(ids)).map((row) => [...row]);
        const truth = { gram, matrixRoot: null, aggregate: null, products: null };
        return (await tell({ gram: true }, { place: 'memory', rows: [] }, truth)).gram ?? gram;
      };
      return { ...folded, matrix };
    },
  };
}
