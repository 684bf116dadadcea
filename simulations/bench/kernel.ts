import type { Signer } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { RuleSpec } from '../../shared/aggregation/registry.ts';
import type { Hex } from '../../shared/bytes.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot } from '../../shared/commitments/vector-trees.ts';
import { aggregateRound } from '../../shared/round/aggregate-round.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import type { WeightFacts } from '../../shared/round/round-weights.ts';
import { type RoundParent, transition } from '../../shared/round/transition.ts';
import { BenchError } from './bench-error.ts';
import type { BenchJob } from './bench-job.ts';
import type { BenchUpdate } from './updates.ts';

/** The round function alone, in milliseconds: kernel and commitments, inputs in memory, nothing stored. */
export interface KernelTimes {
  /** All of it. */
  readonly totalMs: number;
  /** Measured apart: all that walks over the updates: rule, inner products, matrix tree. */
  readonly ruleMs: number;
  /** Measured apart: inner products of all updates. */
  readonly gramMs: number;
  /** Measured apart: tree over the matrix of updates. */
  readonly matrixTreeMs: number;
  /** Measured apart: trees of model and aggregate. */
  readonly blockTreesMs: number;
}

/** Applies the round function to one round after the other, from the first. */
export type Kernel = (
  plan: RoundPlan,
  signers: readonly Signer[],
  updates: readonly BenchUpdate[],
  modelRoot: Hex,
) => Promise<KernelTimes>;

/**
 * Creates the round function of a job as anyone can apply it. It must come to the coordinator's model, or what is
 * compared would not be the same work.
 *
 * @throws BenchError `bench/different-model` when it is applied
 */
export function createKernel({ job: { terms, seeds }, domain, model }: BenchJob, engine: AggregationEngine): Kernel {
  let parent: RoundParent = { model, modelRoot: terms.manifest.initialModelRoot, serverState: null, rewards: [] };
  return async (plan, signers, updates, modelRoot) => {
    const { round, attempt, parentRoot } = plan;
    const contributions = updates.map(({ updateRoot, samples, largestMagnitude, datasetCommitment }, index) => {
      const { address: participant, signDigest } = signers[index] as Signer;
      const facts = { updateRoot, samples, largestMagnitude, datasetCommitment };
      const statement = { job: terms.job, round, attempt, parentRoot, ...facts };
      const signature = signDigest(updateDigest(domain, statement));
      return { participant, signature, ...facts };
    });
    // Where the engine reads them fastest: what is measured is the work, not the way to it.
    const rows = engine.allocate(updates.length, terms.layout.dimension);
    for (const [index, { vector }] of updates.entries()) rows.rows[index]?.set(vector());
    const revealed = { ...plan, seed: seeds[plan.seedIndex] as Hex };
    const startedAt = performance.now();
    const outcome = await transition(terms, parent, revealed, { contributions, rows }, engine);
    const totalMs = performance.now() - startedAt;
    if (outcome.record.modelRoot !== modelRoot) {
      throw new BenchError('bench/different-model', `round ${round}: the coordinator came to another model`, { round });
    }
    const { model: next, serverState, aggregate, rewards } = outcome;
    parent = { model: next, modelRoot, serverState, rewards };
    const { rule } = terms.manifest.aggregation;
    return {
      totalMs,
      ruleMs: await timed(() => aggregateRound(engine, rows, factsOf(rule, updates, revealed))),
      gramMs: await timed(() => engine.pass(rows, { gram: true })),
      matrixTreeMs: await timed(() => engine.pass(rows, { matrixRoot: true })),
      blockTreesMs: await timed(() => [blockRoot(TREE.model, next), blockRoot(TREE.aggregate, aggregate)]),
    };
  };
}

const factsOf = (spec: RuleSpec, updates: readonly BenchUpdate[], plan: WeightFacts['plan']): WeightFacts => ({
  ...{ spec, plan, n: updates.length },
  samples: updates.map(({ samples }) => samples),
});

async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
