import { expect } from 'vitest';
import { type CaseFile, rebuildCase } from '../../../contracts/court/case-file.ts';
import { type Court, connectCourt, type OpenedDispute } from '../../../contracts/court/court.ts';
import { type CourtWriter, createCourtWriter } from '../../../contracts/court/court-writer.ts';
import { createLedgerWriter, type LedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import { recoverAddress, type Signer } from '../../../contracts/wallet.ts';
import type { AggregationEngine } from '../../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { type Hex, toHex, utf8 } from '../../../shared/bytes.ts';
import { type Contribution, contributionsRoot, updateDigest } from '../../../shared/commitments/contribution.ts';
import { sha256Digest } from '../../../shared/commitments/hashing.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';
import { receiptDigest, type SignedReceipt } from '../../../shared/commitments/receipt.ts';
import { genesisHead, nextHead, type RoundRecord, recordHash } from '../../../shared/commitments/record.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import type { SigningDomain } from '../../../shared/commitments/typed-data.ts';
import { blockRoot, matrixTree, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { serverStateRoot } from '../../../shared/fixed-point/server-state.ts';
import type { ServerStep } from '../../../shared/fixed-point/server-step-settings.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { diagnose } from '../../../shared/openings/diagnose.ts';
import type { Diagnosis, Evidence } from '../../../shared/openings/diagnosis.ts';
import { memoryBlocks, type PlacedRecord, type RoundView } from '../../../shared/openings/round-view.ts';
import type { Subject } from '../../../shared/openings/subject.ts';
import { createRng } from '../../../shared/rng.ts';
import type { CumulativeRewards } from '../../../shared/round/cumulative-rewards.ts';
import { decodeDocument, encodeDocument, type RoundDocument } from '../../../shared/round/document.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { type RevealedPlan, seedChain } from '../../../shared/round/plan.ts';
import { inMemory, type RoundOutcome, type RoundParent, transition } from '../../../shared/round/transition.ts';
import { exampleManifest } from '../../shared/round/example-manifest.ts';
import { type CourtWorld, openCourtWorld } from '../court-fixture.ts';
import { startTestChain, type TestChain, wallet } from '../harness.ts';

/** All that a round publishes and commits to; a liar changes some of it before it is committed to. */
export interface Parts {
  readonly plan: RevealedPlan;
  readonly contributions: readonly Contribution[];
  /** The rows of the committed matrix. */
  readonly rows: readonly Int16Array[];
  readonly gram: readonly (readonly bigint[])[];
  readonly weights: readonly number[] | null;
  readonly scores: readonly bigint[];
  readonly rewards: CumulativeRewards;
  readonly rewardsTotal: bigint;
  readonly model: Int32Array;
  readonly state: Int32Array | null;
  readonly aggregate: Int32Array;
  readonly parentModelRoot: Hex;
}

/** A round as it was published, and where the next one starts. */
export interface LabRound {
  readonly record: RoundRecord;
  readonly parentHead: Hex;
  readonly head: Hex;
  readonly view: RoundView;
  readonly parts: Parts;
  /** The updates as they were signed. */
  readonly updates: readonly Int16Array[];
  readonly outcome: RoundOutcome;
  readonly receipts: readonly SignedReceipt[];
}

export interface JobChoices {
  readonly rule: {
    readonly rule: string;
    readonly f: number;
    readonly pre?: readonly string[];
    readonly params?: object;
  };
  readonly step?: ServerStep;
  readonly score?: 'confirmation' | 'alignment';
  readonly participants?: number;
  /** Coordinates of the first tensor. */
  readonly size?: number;
  readonly engine?: AggregationEngine;
  readonly seed?: number;
  /** How many of them never staked, the first ones. */
  readonly strangers?: number;
}

const SEEDS = seedChain(new Uint8Array(32).fill(9), 200);

/** A job's terms and honest rounds of it, without any chain. */
export function createRounds(
  choices: JobChoices,
  signers: readonly Signer[],
  domainOf: () => SigningDomain,
  coordinator: Signer,
) {
  const { rule, step = { name: 'FedAvg', learningRate: 65536 }, score = 'confirmation', size = 90, seed = 1 } = choices;
  const engine = choices.engine ?? createScalarEngine();
  const dimensionOf = (terms: JobTerms): number => terms.layout.dimension;
  const manifestFor = (initialModelRoot: Hex) =>
    exampleManifest({
      replace: {
        tensors: [
          { name: 'kernel', shape: [size], fractionBits: 24, preScaleBits: 0 },
          { name: 'bias', shape: [10], fractionBits: 20, preScaleBits: 1 },
        ],
        aggregation: {
          rule: { rule: rule.rule, pre: rule.pre ?? [], f: rule.f, params: rule.params ?? {} },
          sampleCap: 1000,
          serverStep: step,
        },
        rounds: 100,
        rewards: { pricePerRound: '100', score },
        chain: { windowTicks: 1000 },
      },
      initialModelRoot,
      seedCommitment: SEEDS[0] as Hex,
    });
  const draft = jobTerms(manifestFor(`0x${'11'.repeat(32)}`));
  const model = new Int32Array(dimensionOf(draft));
  for (const slot of draft.layout.slots) model.fill(54321, slot.offset, slot.offset + slot.size);
  const terms = jobTerms(manifestFor(blockRoot(TREE.model, model)));

  const updatesOf = (round: number, attempt: number): Int16Array[] => {
    const rng = createRng(seed, `updates/${round}/${attempt}`);
    const common = Int16Array.from({ length: terms.layout.dimension }, () => rng.below(800) - 200);
    return signers.map(() => {
      const update = new Int16Array(terms.layout.dimension);
      for (const { offset, size: used } of terms.layout.slots) {
        for (let at = offset; at < offset + used; at++) update[at] = (common[at] as number) + rng.below(401) - 200;
      }
      return update;
    });
  };

  /** Commits to what it is given, true or not. */
  const commit = (
    parts: Parts,
    outcome: RoundOutcome,
    parent: LabRound | null,
    updates: readonly Int16Array[],
  ): LabRound => {
    const { plan, contributions, gram, weights, scores, rewards } = parts;
    const document: RoundDocument = { job: terms.job, plan, contributions, gram, weights, scores, rewards };
    const record: RoundRecord = {
      ...outcome.record,
      seed: plan.seed,
      seedIndex: plan.seedIndex,
      participants: contributions.length,
      parentModelRoot: parts.parentModelRoot,
      modelRoot: blockRoot(TREE.model, parts.model),
      serverStateRoot: serverStateRoot(parts.state),
      aggregateRoot: blockRoot(TREE.aggregate, parts.aggregate),
      matrixRoot: toHex(matrixTree(parts.rows).root),
      contributionsRoot: contributionsRoot(contributions),
      gramRoot: gramRoot(gram),
      weightsRoot: weightsRoot(weights ?? contributions.map(() => 0)),
      scoresRoot: scoresRoot(scores),
      rewardsRoot: rewardsTree(rewards).root,
      rewardsTotal: parts.rewardsTotal,
      location: toHex(sha256Digest(encodeDocument(document))),
    };
    const parentHead =
      parent?.head ??
      genesisHead({
        ...originOf(),
        job: terms.job,
        manifestHash: terms.job,
        genesisModelRoot: terms.manifest.initialModelRoot,
      });
    const placed: PlacedRecord | null = parent && { record: parent.record, parentHead: parent.parentHead };
    const vectors = {
      parentModel: parent?.parts.model ?? model,
      parentState: parent?.parts.state ?? null,
      model: parts.model,
      state: parts.state,
      aggregate: parts.aggregate,
    };
    const view: RoundView = {
      ...{ terms, record, parentHead, parent: placed, document },
      parentRewards: parent?.parts.rewards ?? [],
      updates: memoryBlocks(updates),
      vector: async (name) => vectors[name],
    };
    const head = nextHead(parentHead, recordHash(record));
    return { record, parentHead, head, view, parts, updates, outcome, receipts: [] };
  };
  const originOf = () => domainOf();

  /** An honest round after another one. */
  const play = async (parent: LabRound | null, attempt: number, absent = -1): Promise<LabRound> => {
    const before: RoundParent = {
      model: parent?.parts.model ?? model,
      modelRoot: parent?.record.modelRoot ?? terms.manifest.initialModelRoot,
      serverState: parent?.parts.state ?? null,
      rewards: parent?.parts.rewards ?? [],
    };
    const round = (parent?.record.round ?? 0) + 1;
    const seedIndex = round + attempt;
    const plan: RevealedPlan = {
      ...{ round, attempt, parentRoot: before.modelRoot, updateBits: 12, seedIndex, seed: SEEDS[seedIndex] as Hex },
    };
    const updates = updatesOf(round, attempt);
    const domain = domainOf();
    const receiptOf = ({ participant, updateRoot }: Contribution): SignedReceipt => {
      const receipt = {
        ...{ job: terms.job, round, attempt, participant, updateRoot },
        ...{ verdict: 'accepted' as const, code: '' },
      };
      return { ...receipt, signature: coordinator.signDigest(receiptDigest(domain, receipt)) };
    };
    const contributions = signers.map((signer, row): Contribution => {
      const update = updates[row] as Int16Array;
      const stated = {
        updateRoot: toHex(updateTree(vectorBytes(update)).root),
        samples: 300 * (row + 1),
        largestMagnitude: largestMagnitude(update),
        datasetCommitment: toHex(sha256Digest(utf8(`data ${row}`))),
      };
      const statement = { job: terms.job, round, attempt, parentRoot: before.modelRoot, ...stated };
      return { participant: signer.address, ...stated, signature: signer.signDigest(updateDigest(domain, statement)) };
    });
    const admitted = contributions.map((contribution, row) => ({ contribution, update: updates[row] as Int16Array }));
    const present = admitted.filter((_, row) => row !== absent);
    const outcome = await transition(terms, before, plan, inMemory(present), engine);
    const { gram, weights } = decodeDocument(outcome.document);
    const { scores, rewards, model: next, serverState: state, aggregate } = outcome;
    const parts: Parts = {
      ...{
        plan,
        contributions: present.map(({ contribution }) => contribution),
        rows: present.map(({ update }) => update),
        gram,
        weights,
        scores,
        rewards,
        model: next,
        state,
        aggregate,
      },
      ...{ rewardsTotal: outcome.record.rewardsTotal, parentModelRoot: before.modelRoot },
    };
    const honest = commit(parts, outcome, parent, parts.rows);
    expect(honest.record).toEqual(outcome.record);
    // Whoever is left out has a receipt all the same.
    return { ...honest, receipts: contributions.map(receiptOf) };
  };
  /** The same round with a lie in it, committed to as if it were true. */
  const falsify = (honest: LabRound, parent: LabRound | null, lie: Partial<Parts>): LabRound =>
    commit({ ...honest.parts, ...lie }, honest.outcome, parent, honest.updates);

  return { terms, model, play, falsify };
}

/** A job with a court on a chain of its own, its rounds, and what both sides do. */
export interface CourtLab extends ReturnType<typeof createRounds> {
  readonly chain: TestChain;
  readonly world: CourtWorld;
  readonly court: Court;
  readonly coordinator: CourtWriter;
  readonly challenger: CourtWriter;
  readonly ledger: LedgerWriter;
  readonly domain: SigningDomain;
  /** Opens a dispute as a challenger and finds it as the coordinator would. */
  dispute(round: LabRound, subject: Subject): Promise<{ opened: OpenedDispute; file: CaseFile; gas: number }>;
  /** What somebody who recomputes the round finds. */
  examine(round: LabRound, changes?: Partial<Evidence>): Promise<Diagnosis>;
  /** Lets the coordinator's time pass and ends the dispute; the round is the latest one. */
  convict(id: bigint, round: LabRound): Promise<void>;
  /** The round with its committed matrix in place of the updates. */
  matrixView(round: LabRound): RoundView;
  attempt(): Promise<number>;
  close(): Promise<void>;
}

export async function openCourtLab(choices: JobChoices): Promise<CourtLab> {
  const chain = await startTestChain();
  const boss = wallet('coordinator');
  const signers = Array.from({ length: choices.participants ?? 5 }, (_, each) =>
    wallet(`participant ${each}`),
  ).toSorted((a, b) => (a.address < b.address ? -1 : 1));
  let domain: SigningDomain | undefined;
  const domainOf = (): SigningDomain => {
    if (domain === undefined) throw new Error('the job is not deployed yet');
    return domain;
  };
  const rounds = createRounds(choices, signers, domainOf, boss);
  const { terms } = rounds;
  const world = await openCourtWorld(chain, {
    blocks: terms.layout.dimension / 64,
    confirmation: (choices.score ?? 'confirmation') === 'confirmation',
    court: { coordinatorBond: '1000000', challengerBond: '500' },
    job: {
      ...{ job: terms.job, manifestHash: terms.job, fixedPlanHash: terms.fixedPlanHash },
      ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: terms.manifest.initialModelRoot },
      ...{ pricePerRound: 100n, maxRounds: 100, windowTicks: 1000 },
    },
    participants: signers.slice(choices.strangers ?? 0),
    coordinator: boss,
  });
  domain = { chainId: 31337n, anchor: world.job.anchor };
  const own = await world.outboxOf(boss);
  const court = await connectCourt({ rpc: chain.rpc, disputes: world.job.disputes });
  const challenger = createCourtWriter(await world.outboxOf(world.challenger), world.job);
  await challenger.approveBonds(10n ** 9n, 'lab');
  // The time of an anchoring is kept in ticks: whoever joined within the same one would count as too late.
  await chain.chain.increaseTime(16);
  return {
    ...rounds,
    ...{ chain, world, court, challenger, domain },
    coordinator: createCourtWriter(own, world.job),
    ledger: createLedgerWriter(own, world.job),
    async dispute(round, subject) {
      const { transactionHash, gasUsed: gas } = await challenger.challenge(round.view, subject);
      const id = await court.disputeIn(transactionHash);
      const opened = (await court.opened(0)).find((each) => each.id === id);
      if (id === undefined || opened === undefined) throw new Error('the challenge opened no dispute');
      const dispute = await court.disputeOf(id);
      const file = dispute && rebuildCase(opened, dispute, round.view);
      if (file === undefined) throw new Error('the case could not be rebuilt');
      return { opened, file, gas };
    },
    async examine(round, changes = {}) {
      const { isEligible } = world.stakes;
      const { finalAtS } = await world.ledger.finality(round.record.round);
      return diagnose(round.view, {
        recomputed: round.outcome,
        recover: recoverAddress,
        isEligible: (participant) => isEligible(participant, finalAtS - 1001 * 16),
        domain: domainOf(),
        ...changes,
      });
    },
    async convict(id, round) {
      await chain.chain.increaseTime(600);
      await challenger.convict(id, round, round.record);
    },
    matrixView: ({ view, parts }) => ({ ...view, updates: memoryBlocks(parts.rows) }),
    attempt: async () => (await world.ledger.facts()).minAttempt,
    close: () => chain.close(),
  };
}
