import { join } from 'node:path';
import type { AggregationEngine } from '../shared/aggregation/engine.ts';
import { type Hex, toHex } from '../shared/bytes.ts';
import type { Contribution } from '../shared/commitments/contribution.ts';
import { sha256Digest } from '../shared/commitments/hashing.ts';
import { TREE, type TreeKind } from '../shared/commitments/merkle-tree.ts';
import { recordToJson } from '../shared/commitments/record.ts';
import { blockTree, int32Vector, vectorBytes } from '../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../shared/errors.ts';
import { decodeDocument } from '../shared/round/document.ts';
import type { JobTerms } from '../shared/round/job-terms.ts';
import type { RoundPlan } from '../shared/round/plan.ts';
import {
  type AdmittedUpdates,
  type RoundFunction,
  type RoundOutcome,
  type RoundParent,
  transition,
} from '../shared/round/transition.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import { checkUpdateFile } from './blobs/check-update-file.ts';
import type { Folding } from './fold-updates.ts';
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
  /** Walks over the updates; reads them from the blobs' files. */
  readonly engine: AggregationEngine;
  /** The round function; default {@link transition}, and nothing else in an honest coordinator. */
  readonly roundFunction?: RoundFunction;
  /** Inner products of the round's updates, as far as they were made while it was open. */
  readonly folding?: Pick<Folding, 'take'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Applies the round function to stored updates and stores what it returns. Doing it again gives the same bytes.
 *
 * Updates are read from their files in pieces, never held in memory as a whole; they are held to their roots while they are
 * aggregated, and what was aggregated counts only if they all have them: blobs of an outcome that does not are under roots
 * that no record will name.
 *
 * @throws StoredBlobError if a stored blob has gone or is damaged
 * @throws RuleError if the rule refuses so few updates
 * @throws AggregationError if the updates cannot be aggregated exactly
 * @throws StalenessError if in a buffered job the log holds an update of a model that is none of the last ones
 */
export async function applyRound(
  context: ApplyRoundContext,
  progress: Progress,
  plan: RoundPlan,
  admitted: readonly Contribution[],
): Promise<RoundAggregated> {
  const { terms, blobs, engine, now, roundFunction = transition } = context;
  const startedAt = performance.now();
  const seed = context.seeds[plan.seedIndex] as Hex;
  const { dimension } = terms.layout;
  const paths = admitted.map(({ updateRoot }) => join(blobs.folder, blobs.relativePath(updateRoot)));
  const products = await context.folding?.take(admitted.map(({ updateRoot }) => updateRoot));
  const { parents } = progress;
  const rows = { place: 'files', paths, dimension } as const;
  const updates: AdmittedUpdates = { contributions: admitted, rows, products, parents };

  // This thread reads and hashes while the engine's aggregate, and while what comes of it is written.
  const parent = loadParent(context, progress);
  const soundness = checkUpdates(blobs, admitted, 2 * dimension);
  const [found, , sound] = await Promise.allSettled([
    roundFunction(terms, parent, { ...plan, seed }, updates, engine).then(async (outcome) => {
      const aggregationMs = performance.now() - startedAt;
      await store(blobs, outcome);
      return { outcome, aggregationMs };
    }),
    parent,
    soundness,
  ]);
  // What a damaged update is aggregated to, or why it cannot be, is of no interest.
  if (sound.status === 'rejected') throw sound.reason;
  if (found.status === 'rejected') throw found.reason;
  const { outcome, aggregationMs } = found.value;
  const { record, scores, earned, saturated } = outcome;
  return {
    type: 'roundAggregated',
    at: now(),
    record: recordToJson(record),
    scores: scores.map(String),
    earned: earned.map(String),
    aggregationMs,
    closeMs: performance.now() - startedAt,
    saturated,
  };
}

/** Stores what a round has made. */
async function store(blobs: BlobStore, outcome: RoundOutcome): Promise<void> {
  const { record, model, aggregate, serverState, document } = outcome;
  await Promise.all([
    blobs.put(record.modelRoot, vectorBytes(model)),
    blobs.put(record.aggregateRoot, vectorBytes(aggregate)),
    blobs.put(record.location, document),
    ...(serverState === null ? [] : [blobs.put(record.serverStateRoot, vectorBytes(serverState))]),
  ]);
}

async function loadParent({ blobs }: ApplyRoundContext, progress: Progress): Promise<RoundParent> {
  const { modelRoot, serverStateRoot, location } = progress;
  const vector = async (id: Hex, kind: TreeKind): Promise<Int32Array> =>
    int32Vector(await read(blobs, id, (bytes) => blockTree(kind, int32Vector(bytes)).root));
  const [model, serverState, rewards] = await Promise.all([
    vector(modelRoot, TREE.model),
    serverStateRoot === undefined ? null : vector(serverStateRoot, TREE.serverState),
    location === null ? [] : read(blobs, location, sha256Digest).then((bytes) => decodeDocument(bytes).rewards),
  ]);
  return { model, modelRoot, serverState, rewards };
}

/** Holds stored updates to their roots: a bit that flipped on the disk must not become a record that is anchored. */
async function checkUpdates(blobs: BlobStore, admitted: readonly Contribution[], byteLength: number): Promise<void> {
  for (const { updateRoot: id } of admitted) {
    const finding = await checkUpdateFile(join(blobs.folder, blobs.relativePath(id)), id, byteLength);
    if (finding !== 'sound') throw unsound(blobs, id, finding);
  }
}

/** Reads a blob and verifies it. */
async function read(blobs: BlobStore, id: Hex, rootOf: (bytes: Uint8Array) => Uint8Array): Promise<Uint8Array> {
  const bytes = await blobs.get(id);
  if (bytes === undefined) throw unsound(blobs, id, 'missing');
  if (bytes.length === 0 || toHex(rootOf(bytes)) !== id) throw unsound(blobs, id, 'damaged');
  return bytes;
}

function unsound({ folder }: BlobStore, id: Hex, finding: 'missing' | 'damaged'): StoredBlobError {
  const state = finding === 'missing' ? `is missing from ${folder}` : `in ${folder} is damaged`;
  return new StoredBlobError(`coordinator/blob-${finding}`, `blob ${id} ${state}: restore it`, { id });
}
