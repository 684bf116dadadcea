import { createHash } from 'node:crypto';
import { AuditError } from '../../../client/auditor/audit-error.ts';
import type { AuditFacts } from '../../../client/auditor/audit-origin.ts';
import type { BlobSource } from '../../../client/auditor/blob-source.ts';
import type { AnchoredRound } from '../../../client/auditor/chain-position.ts';
import { createWallet, type Signer } from '../../../contracts/wallet.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import {
  byParticipant,
  type Contribution,
  type UpdateStatement,
  updateDigest,
} from '../../../shared/commitments/contribution.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { genesisHead, nextHead, recordHash } from '../../../shared/commitments/record.ts';
import { blockRoot, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { nextUpdateBits } from '../../../shared/fixed-point/update-bits.ts';
import { createRng } from '../../../shared/rng.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { type RevealedPlan, seedChain } from '../../../shared/round/plan.ts';
import {
  type AdmittedUpdate,
  inMemory,
  type RoundFunction,
  type RoundOutcome,
  type RoundParent,
  transition,
} from '../../../shared/round/transition.ts';
import { exampleManifest } from '../../shared/round/example-manifest.ts';

/** Five participants in order of address, and one that takes no part. */
const wallets = Array.from({ length: 6 }, (_, index) => createWallet(`0x${String(index + 1).repeat(64)}`));
export const outsider: Signer = wallets[5] as Signer;
export const signers: readonly Signer[] = wallets
  .slice(0, 5)
  .sort((a, b) => byParticipant({ participant: a.address }, { participant: b.address }));

/** Where a dishonest coordinator may put its hand in, one round at a time. */
export interface Meddling {
  /** Before the plan is handed out. */
  readonly plan?: (plan: RevealedPlan) => RevealedPlan;
  /** Before an update is signed. */
  readonly update?: (update: Int16Array, participant: number) => Int16Array;
  /** What is signed. */
  readonly statement?: (statement: UpdateStatement, participant: number) => UpdateStatement;
  /** Between admission and aggregation. */
  readonly admitted?: (admitted: AdmittedUpdate[]) => AdmittedUpdate[];
  /** What is aggregated from. */
  readonly parent?: (parent: RoundParent) => RoundParent;
  /** In place of the round function. */
  readonly transition?: RoundFunction;
  /** Before anything is anchored or published. */
  readonly outcome?: (outcome: RoundOutcome) => RoundOutcome;
}

/** How a history goes. */
export interface HistoryOptions {
  /** Rounds; default 3. */
  readonly rounds?: number;
  /** Members of the manifest to replace. */
  readonly replace?: Readonly<Record<string, unknown>>;
  /** In a buffered job: how many rounds old a participant's update is, at most what there is; default 0. */
  readonly ageOf?: (round: number, participant: number) => number;
  /** Who contributes; default all, in order of address. */
  readonly party?: readonly Signer[];
  /** Meddling by round. */
  readonly meddling?: Readonly<Record<number, Meddling>>;
  /** Attempt of every round; default 0. */
  readonly attempts?: readonly number[];
  /** The RoundAnchor that updates are signed for. */
  readonly anchor?: Hex;
}

/** A job as chain and storage hold it. */
export interface History {
  readonly terms: JobTerms;
  readonly facts: AuditFacts;
  readonly records: AnchoredRound[];
  readonly blobs: Map<Hex, Uint8Array>;
  readonly outcomes: RoundOutcome[];
  /** What was contributed, by round. */
  readonly contributions: readonly { readonly round: number; readonly contribution: Contribution }[];
}

const ENGINE = createScalarEngine();

const SEEDS = seedChain(new Uint8Array(32).fill(9), 30);

/** Runs a job in memory, with real keys and the real round function. */
export async function createHistory(options: HistoryOptions = {}): Promise<History> {
  const { rounds = 3, replace = {}, meddling = {}, attempts = [], anchor = `0x${'a1'.repeat(20)}` } = options;
  const { ageOf = () => 0, party = signers } = options;
  const blobs = new Map<Hex, Uint8Array>();
  const draft = jobTerms(exampleManifest({ replace }));
  let model: Int32Array = new Int32Array(draft.layout.dimension);
  for (const slot of draft.layout.slots) model.fill(77_777, slot.offset, slot.offset + slot.size);
  const initialModelRoot = blockRoot(TREE.model, model);
  const terms = jobTerms(exampleManifest({ replace, initialModelRoot, seedCommitment: SEEDS[0] as Hex }));
  const facts: AuditFacts = {
    chainId: 31337n,
    anchor,
    job: terms.job,
    manifestHash: terms.job,
    fixedPlanHash: terms.fixedPlanHash,
    tensorTableRoot: terms.tensorTableRoot,
    genesisModelRoot: initialModelRoot,
    pricePerRound: BigInt(terms.manifest.rewards.pricePerRound),
    maxRounds: terms.manifest.rounds,
    windowTicks: terms.manifest.chain.windowTicks,
  };
  blobs.set(terms.job, terms.manifestBytes);
  blobs.set(initialModelRoot, copyBytes(model));

  const records: AnchoredRound[] = [];
  const outcomes: RoundOutcome[] = [];
  const contributions: { round: number; contribution: Contribution }[] = [];
  let parent: RoundParent = { model, modelRoot: initialModelRoot, serverState: null, rewards: [] };
  let updateBits = terms.manifest.initialUpdateBits;
  const models = [initialModelRoot];
  for (let round = 1; round <= rounds; round++) {
    const hand = meddling[round] ?? {};
    const attempt = attempts[round - 1] ?? 0;
    const seedIndex = round + attempt;
    const honest = {
      round,
      attempt,
      parentRoot: parent.modelRoot,
      updateBits,
      seedIndex,
      seed: SEEDS[seedIndex] as Hex,
    };
    const plan = hand.plan?.(honest) ?? honest;
    const contributed = party.map((signer, index) => {
      const parentRoot = models[Math.max(0, models.length - 1 - ageOf(round, index))] as Hex;
      return contribute(facts, terms, plan, signer, index, hand, parentRoot);
    });
    const admitted = hand.admitted?.(contributed) ?? contributed;
    const roundFunction = hand.transition ?? transition;
    const { buffer } = terms.manifest.participation;
    const parents = buffer && models.slice(-(buffer.maxStaleness + 1)).reverse();
    const inputs = inMemory(admitted, parents);
    const result = await roundFunction(terms, hand.parent?.(parent) ?? parent, plan, inputs, ENGINE);
    const outcome = hand.outcome?.(result) ?? result;
    // What was signed is what is stored, even where something else was aggregated.
    for (const { contribution, update } of [...admitted, ...contributed]) {
      blobs.set(contribution.updateRoot, copyBytes(update));
    }
    contributions.push(...admitted.map(({ contribution }) => ({ round, contribution })));
    blobs.set(outcome.record.location, outcome.document);
    blobs.set(outcome.record.modelRoot, copyBytes(outcome.model));
    blobs.set(outcome.record.aggregateRoot, copyBytes(outcome.aggregate));
    const { serverState, rewards } = outcome;
    if (serverState) blobs.set(outcome.record.serverStateRoot, copyBytes(serverState));
    records.push({ record: outcome.record, head: '0x' });
    outcomes.push(outcome);
    parent = { model: outcome.model, modelRoot: outcome.record.modelRoot, serverState, rewards };
    updateBits = nextUpdateBits(
      plan.updateBits,
      admitted.map(({ contribution }) => contribution.largestMagnitude),
    );
    model = outcome.model;
    models.push(outcome.record.modelRoot);
  }
  return { terms, facts, records: chained(facts, records), blobs, outcomes, contributions };
}

/** The records with the heads that a contract would compute for them. */
export function chained(facts: AuditFacts, records: readonly AnchoredRound[]): AnchoredRound[] {
  let head = genesisHead(facts);
  return records.map(({ record }) => {
    head = nextHead(head, recordHash(record));
    return { record, head };
  });
}

/** Signs an update as its participant would. */
export function contribute(
  facts: AuditFacts,
  terms: JobTerms,
  plan: RevealedPlan,
  signer: Signer,
  index: number,
  hand: Meddling = {},
  parentRoot: Hex = plan.parentRoot,
): AdmittedUpdate {
  const rng = createRng(1000 * plan.round + index, 'update');
  const drawn = new Int16Array(terms.layout.dimension);
  for (const slot of terms.layout.slots) {
    // A common direction with noise of one's own, so that everybody scores.
    for (let at = slot.offset; at < slot.offset + slot.size; at++) drawn[at] = 500 + (at % 7) * 50 + rng.below(400);
  }
  const update = hand.update?.(drawn, index) ?? drawn;
  const honest: UpdateStatement = {
    job: terms.job,
    round: plan.round,
    attempt: plan.attempt,
    parentRoot,
    updateRoot: toHex(updateTree(vectorBytes(update)).root),
    samples: 100 + index,
    largestMagnitude: largestMagnitude(update),
    datasetCommitment: `0x${'d5'.repeat(32)}`,
  };
  const statement = hand.statement?.(honest, index) ?? honest;
  const { updateRoot, samples, largestMagnitude: magnitude, datasetCommitment } = statement;
  const signature = signer.signDigest(updateDigest(facts, statement));
  return {
    update,
    contribution: {
      participant: signer.address,
      updateRoot,
      samples,
      largestMagnitude: magnitude,
      datasetCommitment,
      signature,
      ...(terms.manifest.participation.buffer && { parentRoot: statement.parentRoot }),
    },
  };
}

/** Blobs out of memory. */
export function memoryBlobs(blobs: ReadonlyMap<Hex, Uint8Array>): BlobSource {
  return {
    get: async (id, mostBytes) => {
      const bytes = blobs.get(id);
      if (bytes === undefined) throw new AuditError('audit/blob-missing', `there is no blob ${id}`);
      if (bytes.length > mostBytes) throw new AuditError('audit/blob-too-large', `blob ${id} is too long`);
      return bytes;
    },
  };
}

/** SHA-256 as hexadecimal. */
export function sha256Hex(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

function copyBytes(vector: Int16Array | Int32Array): Uint8Array {
  return Uint8Array.from(vectorBytes(vector));
}
