import type { AggregationEngine, UpdateRows } from '../../shared/aggregation/engine.ts';
import type { RuleBook } from '../../shared/aggregation/registry.ts';
import { concatBytes, type Hex, toHex, utf8, word, ZERO_HASH } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { genesisHead, nextHead, type RoundRecord, recordHash } from '../../shared/commitments/record.ts';
import { blockRoot, updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import { computeRound } from '../../shared/round/compute-round.ts';
import type { CumulativeRewards } from '../../shared/round/cumulative-rewards.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { type RevealedPlan, seedChain } from '../../shared/round/plan.ts';
import { parentsAfter } from '../../shared/round/staleness.ts';
import { transition } from '../../shared/round/transition.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { manifestOfRun, type RunTerms } from './manifest-of-run.ts';

/** The updates of a round, as they were sent. */
export interface SentUpdates {
  /** Whose each is, ascending. */
  readonly clients: readonly number[];
  /** What each states to have trained on. */
  readonly samples: readonly number[];
  /** Largest magnitude of each, in update units. */
  readonly magnitudes: readonly number[];
  /** How many rounds older than the round's own the model is that each was trained from. */
  readonly stalenesses: readonly number[];
  /** The updates. */
  readonly rows: UpdateRows & { readonly place: 'memory' };
}

/** What a round came to. */
export interface ClosedRound {
  /** The model after it. */
  readonly model: Int32Array;
  /** Weights of the updates in units of 2^-30, null for a rule that reduces coordinates. */
  readonly weights: readonly number[] | null;
  /** Whether each update has a part in the aggregate. */
  readonly active: readonly boolean[];
  /** What each participant earned. */
  readonly earned: readonly bigint[];
}

/** The rounds of a run, one after the other. */
export interface RunRounds {
  /**
   * Closes the next round.
   *
   * @param updateBits - the scale of its updates
   * @throws RuleError, AggregationError as the round function does
   */
  close(sent: SentUpdates, updateBits: number): Promise<ClosedRound>;
  /** Head of the chain of records, null where rounds are not committed to, or none has closed. */
  head(): Hex | null;
}

/** What the rounds of a run are made of. */
export interface RoundsOptions {
  /** The run. */
  readonly spec: RunSpec;
  /** What decides their numbers. */
  readonly terms: RunTerms;
  /** How tensors lie in vectors. */
  readonly layout: Layout;
  /** What the rule's name stands for. */
  readonly book: RuleBook;
  /** What aggregates. */
  readonly engine: AggregationEngine;
  /** The model before round 1. */
  readonly model: Int32Array;
  /** Told every record of a run that is committed to, with the updates it is made from, which hold for the call only. */
  readonly onRecord?: ((record: RoundRecord, facts: RecordFacts) => void) | undefined;
}

/** What a record can be held to. */
export interface RecordFacts {
  /** The job. */
  readonly terms: JobTerms;
  /** Bytes of the round's document. */
  readonly document: Uint8Array;
  /** The aggregate. */
  readonly aggregate: Int32Array;
  /** The model after the round. */
  readonly model: Int32Array;
  /** The updates. */
  readonly rows: readonly Int16Array[];
}

/** Creates the rounds of a run: by the arithmetic of production's round function, or by all of it. */
export function createRunRounds(options: RoundsOptions): RunRounds {
  const { spec, terms, layout, book, engine, onRecord } = options;
  const seeds = seedChain(sha256Digest(concatBytes(word(spec.seed), utf8('simulation/seeds'))), spec.rounds);
  const isBuffered = spec.network?.mode.kind === 'buffered';
  let { model } = options;
  let serverState: Int32Array | null = null;
  let round = 0;
  let committed: Committed | null = null;

  const begin = (updateBits: number): Committed => {
    const initialModelRoot = blockRoot(TREE.model, model);
    const seedCommitment = seeds[0] as Hex;
    const facts = { layout, initialUpdateBits: updateBits, initialModelRoot, seedCommitment };
    const job = jobTerms(manifestOfRun(spec, terms, facts));
    const origin = { chainId: 0n, anchor: addressOf(0), job: job.job, manifestHash: job.job };
    const head = genesisHead({ ...origin, genesisModelRoot: initialModelRoot });
    return { terms: job, head, parents: [initialModelRoot], rewards: [] };
  };

  const commit = async (sent: SentUpdates, plan: RevealedPlan, before: Committed): Promise<ClosedRound> => {
    const { buffer } = before.terms.manifest.participation;
    const contributions = sent.clients.map((client, index) => ({
      participant: addressOf(client + 1),
      updateRoot: toHex(updateTree(vectorBytes(sent.rows.rows[index] as Int16Array)).root),
      samples: sent.samples[index] as number,
      largestMagnitude: sent.magnitudes[index] as number,
      ...{ datasetCommitment: ZERO_HASH, signature: NO_SIGNATURE },
      ...(buffer && { parentRoot: before.parents[sent.stalenesses[index] as number] as Hex }),
    }));
    const [modelRoot] = before.parents as [Hex];
    const parent = { model, modelRoot, serverState, rewards: before.rewards };
    const admitted = { contributions, rows: sent.rows, ...(buffer && { parents: before.parents }) };
    const outcome = await transition(before.terms, parent, plan, admitted, engine);
    const { record, document, rewards } = outcome;
    const parents = buffer ? parentsAfter(buffer, record.modelRoot, before.parents) : [record.modelRoot];
    committed = { ...before, head: nextHead(before.head, recordHash(record)), parents, rewards };
    serverState = outcome.serverState;
    const { aggregate, model: left } = outcome;
    onRecord?.(record, { terms: before.terms, document, aggregate, model: left, rows: sent.rows.rows });
    return outcome;
  };

  const compute = async (sent: SentUpdates, plan: Pick<RevealedPlan, 'updateBits' | 'seed'>): Promise<ClosedRound> => {
    const contributions = sent.samples.map((samples) => ({ samples }));
    const updates = { contributions, rows: sent.rows, ...(isBuffered && { stalenesses: sent.stalenesses }) };
    const start = { model, serverState };
    const computed = await computeRound({ manifest: terms, layout, book }, start, plan, updates, engine, false);
    serverState = computed.stepped.state;
    return { ...computed, model: computed.stepped.model };
  };

  return {
    close: async (sent, updateBits) => {
      round++;
      const seed = seeds[round] as Hex;
      const plan = { round, attempt: 0, updateBits, seedIndex: round, seed };
      let closed: ClosedRound;
      if (spec.commit) {
        committed ??= begin(updateBits);
        closed = await commit(sent, { ...plan, parentRoot: committed.parents[0] as Hex }, committed);
      } else {
        closed = await compute(sent, plan);
      }
      ({ model } = closed);
      return closed;
    },
    head: () => committed?.head ?? null,
  };
}

/** What is known of a run's chain of records. */
interface Committed {
  readonly terms: JobTerms;
  readonly head: Hex;
  /** Roots of the last models, the newest first. */
  readonly parents: readonly Hex[];
  readonly rewards: CumulativeRewards;
}

/** Virtual clients have no keys: a simulated record has everything but signatures. */
const NO_SIGNATURE: Hex = `0x${'00'.repeat(65)}`;

/** A virtual client's address: addresses ascend as clients do. */
function addressOf(index: number): Hex {
  return `0x${index.toString(16).padStart(40, '0')}`;
}
