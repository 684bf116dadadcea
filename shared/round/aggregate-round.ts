import { type AggregationEngine, augmentGram, type UpdateRows } from '../aggregation/engine.ts';
import type { Matrix } from '../aggregation/rule.ts';
import { looksAtGram, type RoundWeights, roundWeights, type WeightFacts } from './round-weights.ts';

/** All of a round that is made of the updates themselves. */
export interface RoundAggregate extends Pick<RoundWeights, 'weights' | 'active'> {
  /** D coordinates in units of 2^-(updateBits + 8). */
  readonly aggregate: Int32Array;
  /** Exact inner products, n+1 rows and columns, the aggregate's last. */
  readonly gram: Matrix<bigint>;
  /** Root of the matrix tree, 32 bytes; null where nobody asked for it. */
  readonly matrixRoot: Uint8Array | null;
}

/**
 * Aggregates a round's updates and commits to them in as few walks over them as the rule allows: one for a coordinate rule
 * or a weighted mean, two for whatever must see the inner products first and is not given them.
 *
 * @param engine - walks over the updates
 * @param rows - the updates in participant order, wherever they are kept
 * @param known - their n x n exact inner products, where somebody has them already
 * @param withMatrixRoot - whether the updates are to be committed to
 * @throws AggregationError when the updates or counts cannot be aggregated
 * @throws RuleError when the rule is unknown or (n, f) is beyond a breakdown bound
 */
export async function aggregateRound(
  engine: AggregationEngine,
  rows: UpdateRows,
  facts: WeightFacts,
  known?: Matrix<bigint>,
  withMatrixRoot = true,
): Promise<RoundAggregate> {
  const always = { gram: known === undefined, matrixRoot: withMatrixRoot };
  const first = known === undefined && looksAtGram(facts) ? await engine.pass(rows, always) : null;
  const { weights, active, reduction } = roundWeights(facts, known ?? first?.gram ?? []);
  const aggregation = reduction ?? { weights: weights ?? [] };
  const last = await engine.pass(rows, { ...(first === null && always), aggregate: aggregation, products: true });
  const { matrixRoot } = first ?? last;
  const gram = known ?? first?.gram ?? last.gram;
  const { aggregate, products } = last;
  if (gram === null || (withMatrixRoot && matrixRoot === null) || aggregate === null || products === null) {
    throw new TypeError('an engine brings whatever a pass asks for');
  }
  return { aggregate, weights, active, gram: augmentGram(gram, products), matrixRoot };
}
