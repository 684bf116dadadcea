import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type Contribution, updateDigest } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { dirtyPadding } from '../../shared/fixed-point/layout.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { AdmittedUpdates } from '../../shared/round/transition.ts';
import type { AuditFacts } from './audit-origin.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMissing, DivergenceFound, must, mustEqual, mustSucceed } from './divergence.ts';
import { fetchUpdate } from './fetch-blob.ts';
import type { RetentionView } from './retention.ts';
import type { UpdateRoom } from './update-room.ts';

/** Recovers the address whose key signed a digest; throws a coded error for a signature that is none. */
export type Recover = (digest: Uint8Array, signature: Hex) => Hex;

/** Who may contribute, by the stakes of a job that has a court. */
export interface EligibilityView {
  /**
   * Whether an account could contribute to an anchored round.
   *
   * @param participant - its address
   * @param round - the round
   */
  isEligible(participant: Hex, round: number): Promise<boolean>;
}

const UINT32_MAX = 0xffff_ffff;

/** What contributions are held to. */
export interface ContributionContext {
  /** What the chain says. */
  readonly facts: AuditFacts;
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Where updates are read. */
  readonly blobs: BlobSource;
  /** Recovers signers. */
  readonly recover: Recover;
  /** Tells whether the updates of a round may have gone; without it, none may. */
  readonly retention?: RetentionView;
  /** Tells who has staked enough; without it, everybody has. */
  readonly eligibility?: EligibilityView;
  /** Recomputes aggregations. */
  readonly engine: AggregationEngine;
  /** Keeps the updates meanwhile. */
  readonly room: UpdateRoom;
}

/**
 * Holds a round's contributions to the rules of admission, before any update is fetched: number, order, allow-list; in a
 * buffered job, that each was trained from one of the last models. Signatures are looked at while updates are on their way.
 *
 * @param parents - roots of those models by the chain's records, the newest first; absent: the job is not buffered
 * @throws DivergenceFound
 */
export function auditStatements(
  { terms }: ContributionContext,
  record: RoundRecord,
  contributions: readonly Contribution[],
  parents?: readonly Hex[],
): void {
  const { quorum, admission, sample, buffer } = terms.manifest.participation;
  const [count, id] = [contributions.length, record.location];
  mustEqual('participants', count, record.participants);
  must(count >= quorum, 'participants', `at least the quorum of ${quorum}`, String(count));
  const most = sample?.size ?? count;
  must(count <= most, 'participants', `at most the sample of ${most}`, String(count));
  const room = buffer?.size ?? count;
  must(count <= room, 'participants', `at most the buffer of ${room}`, String(count));
  const allowed = admission === 'open' ? undefined : new Set<string>(admission);
  for (const [index, contribution] of contributions.entries()) {
    const { participant, samples, largestMagnitude, parentRoot } = contribution;
    const before = contributions[index - 1]?.participant;
    const isLater = before === undefined || before < participant;
    must(isLater, 'order of participants', `an address above ${before}`, participant, id);
    must(allowed?.has(participant) ?? true, 'participant', 'an address on the allow-list', participant, id);
    const isInRange = [samples, largestMagnitude].every((value) => value >= 0 && value <= UINT32_MAX);
    must(isInRange, `statement of ${participant}`, 'unsigned 32-bit numbers', `${samples}, ${largestMagnitude}`, id);
    const isFromKnown = parentRoot === undefined ? !buffer : (parents?.includes(parentRoot) ?? false);
    const expected = buffer ? `one of the last ${parents?.length} models` : 'none named: the job is not buffered';
    must(isFromKnown, `parent of the update of ${participant}`, expected, parentRoot ?? 'none named', id);
  }
}

/**
 * Holds a contribution to the signature of its participant over exactly this update for this round.
 *
 * @throws DivergenceFound
 */
function auditSignature(
  { facts, recover }: ContributionContext,
  { job, round, attempt, parentModelRoot, location: id }: RoundRecord,
  { participant, signature, updateRoot, samples, largestMagnitude, datasetCommitment, ...own }: Contribution,
): void {
  // What a buffered update was trained from it alone says: its age is held to what its participant signed.
  const parentRoot = own.parentRoot ?? parentModelRoot;
  const statement = { job, round, attempt, parentRoot, updateRoot, samples, largestMagnitude, datasetCommitment };
  const what = `signature of ${participant}`;
  const digest = updateDigest(facts, statement);
  const signer = mustSucceed(what, 'a signature over its statement', id, () => recover(digest, signature));
  must(signer === participant, what, participant, `a signature of ${signer}, or over another statement`, id);
}

/**
 * Holds a round's participants to their stakes, where the job asks for any.
 *
 * @throws DivergenceFound
 */
export async function auditEligibility(
  { eligibility }: ContributionContext,
  { round, location }: RoundRecord,
  contributions: readonly Contribution[],
): Promise<void> {
  if (eligibility === undefined) return;
  const eligible = await Promise.all(
    contributions.map(({ participant }) => eligibility.isEligible(participant, round)),
  );
  const at = eligible.indexOf(false);
  const found = `${contributions[at]?.participant}, which has none`;
  must(at < 0, 'participant', 'an address with a sufficient stake', found, location);
}

/**
 * Fetches the updates, holds each to what its sender signed, and leaves them in the room.
 *
 * @returns the updates; or `gone`, if one is missing whose retention is over: signatures are held to all the same
 * @throws DivergenceFound, AuditError
 */
export async function auditUpdates(
  context: ContributionContext,
  record: RoundRecord,
  contributions: readonly Contribution[],
  parents?: readonly Hex[],
): Promise<AdmittedUpdates | 'gone'> {
  try {
    await context.room.clear(contributions.length);
    await fetchUpdates(context, record, contributions);
    return { contributions, rows: context.room.rows(), parents };
  } catch (error) {
    // A lie that is in the document must not hide behind an update that is damaged or kept away.
    if (error instanceof DivergenceFound) {
      for (const contribution of contributions) auditSignature(context, record, contribution);
    }
    if (!(error instanceof BlobMissing)) throw error;
    if (await context.retention?.isOver(record.round, context.terms.manifest.retentionS)) return 'gone';
    throw error;
  }
}

async function fetchUpdates(
  context: ContributionContext,
  record: RoundRecord,
  contributions: readonly Contribution[],
): Promise<void> {
  const { layout } = context.terms;
  const { blobs, room } = context;
  const fetchRow = (row: number): Promise<Int16Array> | undefined => {
    const one = contributions[row];
    if (one === undefined) return undefined;
    const fetched = fetchUpdate(blobs, `update of ${one.participant}`, one.updateRoot, layout.dimension);
    // It is awaited in its turn; until then its failure is nobody's.
    fetched.catch(() => undefined);
    return fetched;
  };
  // One is on its way while the one before is looked at: no more than two are in memory beside the room.
  let coming = fetchRow(0);
  for (const [row, contribution] of contributions.entries()) {
    const { participant, updateRoot: id, largestMagnitude: signed } = contribution;
    const what = `update of ${participant}`;
    auditSignature(context, record, contribution);
    const update = (await coming) as Int16Array;
    coming = fetchRow(row + 1);
    const largest = largestMagnitude(update);
    must(largest <= MAX_UPDATE, what, `no coordinate beyond ±${MAX_UPDATE}`, `one of ${largest}`, id);
    const dirty = dirtyPadding(layout, update);
    must(dirty < 0, what, 'padding of zeros', `${update[dirty]} at coordinate ${dirty}`, id);
    mustEqual(`largestMagnitude of ${participant}`, largest, signed, id);
    await room.put(row, update);
  }
}
