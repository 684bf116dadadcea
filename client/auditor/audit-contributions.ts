import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type Contribution, updateDigest } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { dirtyPadding } from '../../shared/fixed-point/layout.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { AdmittedUpdate } from '../../shared/round/transition.ts';
import type { AuditFacts } from './audit-origin.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMissing, must, mustEqual, mustSucceed } from './divergence.ts';
import { fetchUpdate } from './fetch-blob.ts';
import type { RetentionView } from './retention.ts';

/** Recovers the address whose key signed a digest; throws a coded error for a signature that is none. */
export type Recover = (digest: Uint8Array, signature: Hex) => Hex;

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
  /** Recomputes aggregations. */
  readonly engine: AggregationEngine;
}

/**
 * Holds a round's contributions to the rules of admission, before any update is fetched: number, order, allow-list,
 * and the signature of every participant over exactly this update for this round.
 *
 * @throws DivergenceFound
 */
export function auditStatements(
  { facts, terms, recover }: ContributionContext,
  record: RoundRecord,
  contributions: readonly Contribution[],
): void {
  const { quorum, admission, sample } = terms.manifest.participation;
  const [count, id] = [contributions.length, record.location];
  mustEqual('participants', count, record.participants);
  must(count >= quorum, 'participants', `at least the quorum of ${quorum}`, String(count));
  const most = sample?.size ?? count;
  must(count <= most, 'participants', `at most the sample of ${most}`, String(count));
  const allowed = admission === 'open' ? undefined : new Set<string>(admission);
  for (const [index, contribution] of contributions.entries()) {
    const { participant, signature, updateRoot, samples, largestMagnitude, datasetCommitment } = contribution;
    const before = contributions[index - 1]?.participant;
    const isLater = before === undefined || before < participant;
    must(isLater, 'order of participants', `an address above ${before}`, participant, id);
    must(allowed?.has(participant) ?? true, 'participant', 'an address on the allow-list', participant, id);
    const { job, round, attempt, parentModelRoot: parentRoot } = record;
    const isInRange = [samples, largestMagnitude].every((value) => value >= 0 && value <= UINT32_MAX);
    must(isInRange, `statement of ${participant}`, 'unsigned 32-bit numbers', `${samples}, ${largestMagnitude}`, id);
    const statement = { job, round, attempt, parentRoot, updateRoot, samples, largestMagnitude, datasetCommitment };
    const what = `signature of ${participant}`;
    const digest = updateDigest(facts, statement);
    const signer = mustSucceed(what, 'a signature over its statement', id, () => recover(digest, signature));
    must(signer === participant, what, participant, `a signature of ${signer}, or over another statement`, id);
  }
}

/**
 * Fetches the updates and holds each to what its sender signed.
 *
 * @returns the updates; or `gone`, if one is missing whose retention is over
 * @throws DivergenceFound, AuditError
 */
export async function auditUpdates(
  context: ContributionContext,
  round: number,
  contributions: readonly Contribution[],
): Promise<AdmittedUpdate[] | 'gone'> {
  try {
    return await fetchUpdates(context, contributions);
  } catch (error) {
    if (!(error instanceof BlobMissing)) throw error;
    if (await context.retention?.isOver(round, context.terms.manifest.retentionS)) return 'gone';
    throw error;
  }
}

async function fetchUpdates(
  { terms: { layout }, blobs }: ContributionContext,
  contributions: readonly Contribution[],
): Promise<AdmittedUpdate[]> {
  const admitted: AdmittedUpdate[] = [];
  for (const contribution of contributions) {
    const { participant, updateRoot: id } = contribution;
    const what = `update of ${participant}`;
    const update = await fetchUpdate(blobs, what, id, layout.dimension);
    const largest = largestMagnitude(update);
    must(largest <= MAX_UPDATE, what, `no coordinate beyond ±${MAX_UPDATE}`, `one of ${largest}`, id);
    const dirty = dirtyPadding(layout, update);
    must(dirty < 0, what, 'padding of zeros', `${update[dirty]} at coordinate ${dirty}`, id);
    mustEqual(`largestMagnitude of ${participant}`, largest, contribution.largestMagnitude, id);
    admitted.push({ contribution, update });
  }
  return admitted;
}
