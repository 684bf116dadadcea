import type { Signer } from '../../contracts/wallet.ts';
import { aggregateIntegers } from '../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../shared/aggregation/gram.ts';
import type { Hex } from '../../shared/bytes.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, matrixTree } from '../../shared/commitments/vector-trees.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { type RoundParent, transition } from '../../shared/round/transition.ts';
import { BenchError } from './bench-error.ts';
import type { BenchJob } from './bench-job.ts';
import type { BenchUpdate } from './updates.ts';

/** The round function alone, in milliseconds: kernel and commitments, inputs in memory, nothing stored. */
export interface KernelTimes {
  /** All of it. */
  readonly totalMs: number;
  /** Measured apart: the aggregation rule. */
  readonly ruleMs: number;
  /** Measured apart: inner products of all updates and the aggregate. */
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
) => KernelTimes;

/**
 * Creates the round function of a job as anyone can apply it. It must come to the coordinator's model, or what is
 * compared would not be the same work.
 *
 * @throws BenchError `bench/different-model` when it is applied
 */
export function createKernel({ job: { terms, seeds }, domain, model }: BenchJob): Kernel {
  let parent: RoundParent = { model, modelRoot: terms.manifest.initialModelRoot, rewards: [] };
  return (plan, signers, updates, modelRoot) => {
    const { round, attempt, parentRoot } = plan;
    const admitted = updates.map(({ updateRoot, samples, largestMagnitude, datasetCommitment, vector }, index) => {
      const { address: participant, signDigest } = signers[index] as Signer;
      const facts = { updateRoot, samples, largestMagnitude, datasetCommitment };
      const statement = { job: terms.job, round, attempt, parentRoot, ...facts };
      const signature = signDigest(updateDigest(domain, statement));
      return { contribution: { participant, signature, ...facts }, update: vector() };
    });
    const startedAt = performance.now();
    const outcome = transition(terms, parent, { ...plan, seed: seeds[plan.seedIndex] as Hex }, admitted);
    const totalMs = performance.now() - startedAt;
    if (outcome.record.modelRoot !== modelRoot) {
      throw new BenchError('bench/different-model', `round ${round}: the coordinator came to another model`, { round });
    }
    parent = { model: outcome.model, modelRoot, rewards: outcome.rewards };
    const rows = admitted.map(({ update }) => update);
    const samples = updates.map((update) => update.samples);
    const { rule } = terms.manifest.aggregation;
    return {
      totalMs,
      ruleMs: timed(() => aggregateIntegers(rows, rule, samples)),
      gramMs: timed(() => gramMatrix(rows, outcome.aggregate)),
      matrixTreeMs: timed(() => matrixTree(rows)),
      blockTreesMs: timed(() => [blockRoot(TREE.model, outcome.model), blockRoot(TREE.aggregate, outcome.aggregate)]),
    };
  };
}

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
