import type { Hex } from '../../shared/bytes.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { nextHead, type RoundRecord, recordHash } from '../../shared/commitments/record.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { decodeDocument, type RoundDocument } from '../../shared/round/document.ts';
import { type AdmittedUpdates, type RoundOutcome, transition } from '../../shared/round/transition.ts';
import { auditEligibility, auditStatements, auditUpdates, type ContributionContext } from './audit-contributions.ts';
import { auditRoots } from './audit-roots.ts';
import { type AnchoredRound, auditSeed, type ChainPosition } from './chain-position.ts';
import { BlobMissing, type Divergence, divergenceOf, must, mustComplete, mustEqual } from './divergence.ts';
import { type AheadSource, fetchAhead } from './fetch-ahead.ts';
import { fetchModel, fetchServerState, fetchVector } from './fetch-blob.ts';
import { fetchDocument, firstDifference } from './fetch-document.ts';
import type { RoundStart } from './round-start.ts';

/** Members of a record in the order of the contract's struct. */
const MEMBERS = [
  'job',
  'round',
  'attempt',
  'participants',
  'updateBits',
  'seedIndex',
  'seed',
  'fixedPlanHash',
  'tensorTableRoot',
  'parentModelRoot',
  'modelRoot',
  'serverStateRoot',
  'aggregateRoot',
  'matrixRoot',
  'contributionsRoot',
  'gramRoot',
  'weightsRoot',
  'scoresRoot',
  'rewardsRoot',
  'rewardsTotal',
  'location',
] as const satisfies readonly (keyof RoundRecord)[];

/**
 * Holds a record to its place in the chain: what the contract enforces, computed again, and what it leaves to auditors.
 *
 * @param before - where the chain stood
 * @throws DivergenceFound
 */
function auditPosition({ facts, terms }: ContributionContext, before: ChainPosition, anchored: AnchoredRound): void {
  const { record, head } = anchored;
  mustEqual('head', nextHead(before.head, recordHash(record)), head);
  mustEqual('job', facts.job, record.job);
  mustEqual('round', before.round + 1, record.round);
  must(record.round <= terms.manifest.rounds, 'round', `at most ${terms.manifest.rounds}`, String(record.round));
  must(record.attempt >= before.attempt, 'attempt', `at least ${before.attempt}`, String(record.attempt));
  mustEqual('parentModelRoot', before.modelRoot, record.parentModelRoot);
}

/** Holds the round's document to its record in what both state of the plan. Throws DivergenceFound. */
function auditPlan(record: RoundRecord, { job, plan }: RoundDocument): void {
  for (const name of ['round', 'attempt', 'updateBits', 'seedIndex', 'seed'] as const) {
    mustEqual(name, plan[name], record[name], record.location);
  }
  mustEqual('document job', record.job, job, record.location);
  mustEqual('document plan.parentRoot', record.parentModelRoot, plan.parentRoot, record.location);
}

/** What the audit of one round found. */
export interface RoundFinding {
  /** The first divergence, if there is one. */
  readonly divergence?: Divergence;
  /** Set where that is a blob that is not there: whether the round is right cannot be told. */
  readonly isWithheld?: true;
  /** What the next round starts from, if this one recomputed. */
  readonly next?: RoundStart;
  /** Set if its updates have gone, their retention being over, and only what does not need them was held to the chain. */
  readonly rootsOnly?: true;
  /** The document as published, if it could be read. */
  readonly document?: RoundDocument;
  /** What the signed updates make of the round, as far as it was computed: of one that diverges, what it should have been. */
  readonly recomputed?: Recomputed;
}

/** A round as it should have been. */
export interface Recomputed {
  /** Everything the round function returns. */
  readonly outcome: RoundOutcome;
  /** What it was computed from; the updates are there until the next round is audited. */
  readonly admitted: AdmittedUpdates;
}

/** A finding while it is being made. */
type Trail = { -readonly [Name in keyof RoundFinding]: RoundFinding[Name] };

/**
 * Recomputes one round from what it started from and holds everything the coordinator anchored and published to it.
 *
 * @param before - where the chain stood
 * @param start - the state the round started from
 * @param parents - in a buffered job: roots of the models that updates may be trained from, the newest first
 * @throws AuditError when the blobs cannot be asked for
 */
export async function auditRound(
  context: ContributionContext,
  before: ChainPosition,
  start: RoundStart,
  anchored: AnchoredRound,
  parents?: readonly Hex[],
): Promise<RoundFinding> {
  const trail: Trail = {};
  const published = fetchAhead(context.blobs);
  const divergence = await divergenceOf(async () => {
    try {
      const beginPublished = (): void => beginFetching(published, context.terms, anchored.record);
      trail.next = await recompute(context, { before, start, anchored, parents }, trail, beginPublished);
      await auditPublished({ ...context, blobs: published }, anchored.record, trail.recomputed?.outcome);
    } catch (error) {
      if (error instanceof BlobMissing) trail.isWithheld = true;
      throw error;
    }
  });
  return { ...trail, ...(divergence && { divergence }) };
}

/** Where a round stands and what it starts from. */
interface RoundPlace {
  readonly before: ChainPosition;
  readonly start: RoundStart;
  readonly anchored: AnchoredRound;
  readonly parents: readonly Hex[] | undefined;
}

async function recompute(
  context: ContributionContext,
  { before, start, anchored, parents }: RoundPlace,
  trail: Trail,
  onAggregating: () => void,
): Promise<RoundStart> {
  const { record } = anchored;
  auditPosition(context, before, anchored);
  const document = await fetchDocument(context.blobs, record.location);
  trail.document = document;
  auditPlan(record, document);
  auditSeed(before, record);
  mustEqual('updateBits', start.updateBits, record.updateBits);
  auditStatements(context, record, document.contributions, parents);
  await auditEligibility(context, record, document.contributions);
  const admitted = await auditUpdates(context, record, document.contributions, parents);
  if (admitted === 'gone') {
    const next = await auditRoots(context, start, record, document, parents);
    trail.rootsOnly = true;
    return next;
  }

  const parent = { ...start, modelRoot: before.modelRoot };
  const { round, attempt, updateBits, seedIndex, seed } = record;
  const plan = { round, attempt, parentRoot: before.modelRoot, updateBits, seedIndex, seed };
  const what = "updates that the manifest's rule can aggregate";
  onAggregating();
  const outcome = await mustComplete('aggregation', what, record.location, () =>
    transition(context.terms, parent, plan, admitted, context.engine),
  );
  trail.recomputed = { outcome, admitted };
  compareRecords(outcome, record, document);
  const magnitudes = document.contributions.map(({ largestMagnitude }) => largestMagnitude);
  const { model, serverState, rewards } = outcome;
  return { model, serverState, rewards, updateBits: nextUpdateBits(updateBits, magnitudes) };
}

/** Compares every member of the record; a document that differs from the recomputed one is compared by its own. */
function compareRecords(outcome: RoundOutcome, record: RoundRecord, document: RoundDocument): void {
  for (const name of MEMBERS) {
    const blob = name === 'location' ? record.location : undefined;
    if (name === 'location' && outcome.record.location !== record.location) {
      const difference = firstDifference(decodeDocument(outcome.document), document);
      if (difference) must(false, `document ${difference.path}`, difference.expected, difference.found, blob);
    }
    mustEqual(name, outcome.record[name], record[name], blob);
  }
}

/** Most bytes of published vectors that are fetched while the round is recomputed, and wait in memory until it is. */
const MOST_BYTES_AHEAD = 256 * 2 ** 20;

/** Lets what will be compared come while the machine computes. */
function beginFetching(
  published: AheadSource,
  { layout }: ContributionContext['terms'],
  { modelRoot, aggregateRoot }: RoundRecord,
): void {
  const bytes = 4 * layout.dimension;
  if (2 * bytes > MOST_BYTES_AHEAD) return;
  for (const id of [aggregateRoot, modelRoot]) published.begin(id, bytes);
}

/**
 * Holds the published model, aggregate and server state to their roots.
 *
 * @param known - what has these roots, where it was computed
 * @throws DivergenceFound, AuditError
 */
async function auditPublished(
  { terms, blobs }: ContributionContext,
  record: RoundRecord,
  known: RoundOutcome | undefined,
): Promise<void> {
  const { dimension } = terms.layout;
  const { modelRoot, aggregateRoot, serverStateRoot } = record;
  await fetchServerState(blobs, terms, serverStateRoot, known?.serverState ?? undefined);
  await fetchVector(blobs, 'published aggregate', TREE.aggregate, aggregateRoot, dimension, known?.aggregate);
  await fetchModel(blobs, 'published model', modelRoot, dimension, known?.model);
}
