import { numberParam } from '../../shared/aggregation/parameters.ts';
import type { Params } from '../../shared/aggregation/rule.ts';
import { LINE_SEARCH, type LineSearch, searchUpwards } from './line-search.ts';
import type { UpdateAttack } from './scene.ts';
import { meanOf, sameFromAll, squaredDistance, type Vectors } from './vectors.ts';

/** What an attack with one factor is made into one that chooses it. */
export interface FactorAttack {
  /** Names. */
  readonly names: Pick<UpdateAttack, 'name' | 'aliases'>;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The paper that describes it. */
  readonly source: string;
  /** The update that a factor yields. */
  readonly update: (honest: Vectors, factor: number) => Float64Array;
}

/** What it takes to choose a factor against a rule. */
export interface FactorScene<Update> {
  /** The honest updates. */
  readonly honest: readonly Update[];
  /** Attackers: they all send the same. */
  readonly byzantine: number;
  /** An update in the precision of the others. */
  readonly round: (update: Float64Array) => Update;
  /** What the rule makes of updates, honest ones first. */
  readonly aggregate: (updates: readonly Update[]) => Promise<Update>;
}

/** Makes an attack that sends the factor after which the rule's aggregate is farthest from the honest mean. */
export function optimized({ names, summary, source, update }: FactorAttack): UpdateAttack {
  return {
    ...names,
    summary,
    source,
    parameters: LINE_SEARCH,
    kind: 'update',
    looksAt: 'rule',
    forge: async ({ honest, byzantine, aggregate }, params) => {
      const scene = { honest, byzantine, aggregate, round: (values: Float64Array) => new Float32Array(values) };
      const factor = await bestFactor(scene, update, searchOf(params));
      return sameFromAll(update(honest, factor), byzantine);
    },
  };
}

/**
 * The factor that a line search finds to carry the aggregate farthest from the honest mean (Euclidean distance).
 *
 * @param update - the update that a factor yields
 */
export async function bestFactor<Update extends Float32Array | Float64Array>(
  { honest, byzantine, round, aggregate }: FactorScene<Update>,
  update: (honest: Vectors, factor: number) => Float64Array,
  search: LineSearch,
): Promise<number> {
  const mean = meanOf(honest);
  return searchUpwards(async (factor) => {
    const forged = round(update(honest, factor));
    const aggregated = await aggregate([...honest, ...Array.from({ length: byzantine }, () => forged)]);
    return Math.sqrt(squaredDistance(aggregated, mean));
  }, search);
}

function searchOf(params: Params): LineSearch {
  const [evals, start, delta, ratio] = LINE_SEARCH.map((parameter) => numberParam(params, parameter));
  return { evals, start, delta, ratio } as LineSearch;
}
