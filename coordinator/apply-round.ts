import { type Hex, toHex } from '../shared/bytes.ts';
import type { Contribution } from '../shared/commitments/contribution.ts';
import { sha256Digest } from '../shared/commitments/hashing.ts';
import { TREE } from '../shared/commitments/merkle-tree.ts';
import { recordToJson } from '../shared/commitments/record.ts';
import { blockTree, int16Vector, int32Vector, updateTree, vectorBytes } from '../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../shared/errors.ts';
import { decodeDocument } from '../shared/round/document.ts';
import type { JobTerms } from '../shared/round/job-terms.ts';
import type { RoundPlan } from '../shared/round/plan.ts';
import { type RoundParent, transition } from '../shared/round/transition.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { RoundAggregated } from './round/events.ts';
import type { Progress } from './round/state.ts';

/** Thrown when a blob that the log vouches for is not in the store, or not what its root commits to. */
export class StoredBlobError extends FedanchorError<'coordinator/blob-missing' | 'coordinator/blob-damaged'> {}

/** What the round function's shell needs. */
export interface ApplyRoundContext {
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Where blobs are read and written. */
  readonly blobs: BlobStore;
  /** The seed chain. */
  readonly seeds: readonly Hex[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Applies the round function to stored updates and stores what it returns. Doing it again gives the same bytes.
 *
 * @throws StoredBlobError if a stored blob has gone or is damaged
 * @throws RuleError if the rule refuses so few updates
 * @throws AggregationError if the updates cannot be aggregated exactly
 */
export async function applyRound(
  context: ApplyRoundContext,
  progress: Progress,
  plan: RoundPlan,
  admitted: readonly Contribution[],
): Promise<RoundAggregated> {
  const { terms, blobs, now } = context;
  const startedAt = performance.now();
  const parent = await loadParent(blobs, progress);
  const updates = await Promise.all(
    admitted.map(async (contribution) => ({
      contribution,
      update: int16Vector(await read(blobs, contribution.updateRoot, (bytes) => updateTree(bytes).root)),
    })),
  );
  const seed = context.seeds[plan.seedIndex] as Hex;
  const aggregationStartedAt = performance.now();
  const outcome = transition(terms, parent, { ...plan, seed }, updates);
  const aggregationMs = performance.now() - aggregationStartedAt;

  const { record } = outcome;
  await Promise.all([
    blobs.put(record.modelRoot, vectorBytes(outcome.model)),
    blobs.put(record.aggregateRoot, vectorBytes(outcome.aggregate)),
    blobs.put(record.location, outcome.document),
  ]);
  return {
    type: 'roundAggregated',
    at: now(),
    record: recordToJson(record),
    scores: outcome.scores.map(String),
    earned: outcome.earned.map(String),
    aggregationMs,
    closeMs: performance.now() - startedAt,
    saturated: outcome.saturated,
  };
}

async function loadParent(blobs: BlobStore, progress: Progress): Promise<RoundParent> {
  const { modelRoot, location } = progress;
  const model = int32Vector(await read(blobs, modelRoot, (bytes) => blockTree(TREE.model, int32Vector(bytes)).root));
  const rewards = location === null ? [] : decodeDocument(await read(blobs, location, sha256Digest)).rewards;
  return { model, modelRoot, rewards };
}

/** Reads a blob and verifies it: a bit that flipped on the disk must not become a record that is anchored. */
async function read(blobs: BlobStore, id: Hex, rootOf: (bytes: Uint8Array) => Uint8Array): Promise<Uint8Array> {
  const bytes = await blobs.get(id);
  const { folder } = blobs;
  if (bytes === undefined) {
    throw new StoredBlobError('coordinator/blob-missing', `blob ${id} is missing from ${folder}: restore it`, { id });
  }
  if (bytes.length === 0 || toHex(rootOf(bytes)) !== id) {
    throw new StoredBlobError('coordinator/blob-damaged', `blob ${id} in ${folder} is damaged: restore it`, { id });
  }
  return bytes;
}
