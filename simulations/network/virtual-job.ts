import type { checkStatement } from '../../coordinator/gate/check-statement.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { type Hex, toHex, word, ZERO_HASH } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { RoundRecordJson } from '../../shared/commitments/record.ts';
import { createRng } from '../../shared/rng.ts';
import { type Manifest, parseManifest } from '../../shared/round/manifest.ts';
import { lastSeedIndex, type RoundPlan, seedChain } from '../../shared/round/plan.ts';

/** A job that no model is behind: what the round machine wants to know of one, and nothing else. */
export interface VirtualJob {
  /** Name of the job. */
  readonly job: Hex;
  /** Its manifest, as production's parser takes it. */
  readonly manifest: Manifest;
  /** Clients' addresses by index, ascending. */
  readonly addresses: readonly Hex[];
  /** The client at an address. */
  clientAt(address: Hex): number;
  /** The round that a model was made by, 0 for the initial one, from its root. */
  roundOf(modelRoot: Hex): number;
  /** An update has passed the gate. */
  accepted(statement: UpdateStatement, client: number, at: number): JobEvent;
  /** An update was refused. */
  refused(statement: UpdateStatement, client: number, refusal: Refusal, at: number): JobEvent;
  /** What a client states of an update for a round and attempt. */
  statement(plan: Attempted, parentRoot: Hex, samples: number): UpdateStatement;
  /** The round function was applied. */
  aggregated(plan: RoundPlan, participants: number, at: number): JobEvent;
  /** The record is on chain. */
  anchored(plan: Attempted, at: number): JobEvent;
}

type Attempted = Pick<RoundPlan, 'round' | 'attempt'>;

/** Why an update was refused, as the gate says it. */
type Refusal = NonNullable<ReturnType<typeof checkStatement>>;

/** Half of what an update can hold: the scale of updates stays what it is. */
const LARGEST_MAGNITUDE = 4096;

const SIGNATURE: Hex = `0x${'00'.repeat(65)}`;

/**
 * A job for the round machine alone. Its draws are production's, from a chain of seeds of its own; its roots are numbers.
 *
 * @param clients - how many there are
 * @param rounds - rounds of the job
 * @param terms - the manifest's section `participation`, but for who is admitted: anyone
 * @param seed - the run's, which the chain of seeds is made from
 * @throws ManifestError if the section is not one that a job can have
 */
export function createVirtualJob(
  clients: number,
  rounds: number,
  terms: Omit<Manifest['participation'], 'admission'>,
  seed: number,
): VirtualJob {
  const participation = { ...terms, admission: 'open' } as const;
  const rng = createRng(seed, 'network/seeds');
  const secret = Uint8Array.from({ length: 32 }, () => rng.below(256));
  const seeds = seedChain(secret, lastSeedIndex({ rounds, participation }));
  const manifest = parseManifest({
    version: 1,
    name: 'simulated network',
    tensors: [{ name: 'none', shape: [1] }],
    task: { kind: 'none', architecture: null, training: null, data: null },
    aggregation: {
      rule: { rule: 'Average', pre: [], f: 0, params: {} },
      sampleCap: 1,
      serverStep: { name: 'FedAvg', learningRate: 2 ** 16 },
    },
    rounds,
    participation,
    rewards: { pricePerRound: '0' },
    chain: { windowTicks: 0 },
    disclosure: 'public',
    retentionS: 0,
    initialUpdateBits: 12,
    initialModelRoot: rootOf(0),
    seedCommitment: seeds[0],
  });
  const job = ZERO_HASH;
  // The number in front: addresses are in the order of clients, and differ early, where they are compared.
  const addresses = Array.from(
    { length: clients },
    (_, client): Hex => `0x${client.toString(16).padStart(8, '0')}${'00'.repeat(16)}`,
  );
  const answered = (statement: UpdateStatement, client: number, at: number) => {
    const { round, attempt, updateRoot } = statement;
    const participant = addresses[client] as Hex;
    return { at, participant, receipt: { job, round, attempt, participant, updateRoot, signature: SIGNATURE } };
  };

  return {
    job,
    manifest,
    addresses,
    clientAt: (address) => Number.parseInt(address.slice(2, 10), 16),
    roundOf: (modelRoot) => Number.parseInt(modelRoot.slice(-8), 16),
    statement: ({ round, attempt }, parentRoot, samples) => ({
      ...{ job, round, attempt, parentRoot, samples },
      ...{ updateRoot: ZERO_HASH, largestMagnitude: LARGEST_MAGNITUDE, datasetCommitment: ZERO_HASH },
    }),
    accepted: (statement, client, at) => {
      const { receipt, ...event } = answered(statement, client, at);
      const signed = { ...receipt, verdict: 'accepted', code: '' } as const;
      return { type: 'updateAccepted', ...event, statement, signature: SIGNATURE, receipt: signed };
    },
    refused: (statement, client, refusal, at) => {
      const { receipt, ...event } = answered(statement, client, at);
      return { type: 'updateRefused', ...event, receipt: { ...receipt, ...refusal } };
    },
    aggregated: (plan, participants, at) => ({
      ...{ type: 'roundAggregated', at, scores: [], earned: [], aggregationMs: 0, closeMs: 0, saturated: 0 },
      record: recordOf(job, plan, participants, seeds[plan.seedIndex] as Hex),
    }),
    anchored: ({ round, attempt }, at) => ({
      ...{ type: 'roundAnchored', at, round, attempt },
      ...{ transactionHash: ZERO_HASH, blockNumber: round, gasUsed: '0' },
    }),
  };
}

/** The model after a round goes by the round's number. */
function rootOf(round: number): Hex {
  return toHex(word(round));
}

function recordOf(job: Hex, plan: RoundPlan, participants: number, seed: Hex): RoundRecordJson {
  const { round, attempt, updateBits, seedIndex, parentRoot } = plan;
  return {
    ...{ job, round, attempt, participants, updateBits, seedIndex, seed },
    ...{ parentModelRoot: parentRoot, modelRoot: rootOf(round), serverStateRoot: ZERO_HASH },
    ...{ fixedPlanHash: ZERO_HASH, tensorTableRoot: ZERO_HASH, aggregateRoot: ZERO_HASH, matrixRoot: ZERO_HASH },
    ...{ contributionsRoot: ZERO_HASH, gramRoot: ZERO_HASH, weightsRoot: ZERO_HASH, scoresRoot: ZERO_HASH },
    ...{ rewardsRoot: ZERO_HASH, rewardsTotal: '0', location: ZERO_HASH },
  };
}
