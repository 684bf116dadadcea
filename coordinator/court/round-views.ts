import { join } from 'node:path';
import type { UpdateRows } from '../../shared/aggregation/engine.ts';
import { type Hex, ZERO_HASH } from '../../shared/bytes.ts';
import { int32Vector } from '../../shared/commitments/vector-trees.ts';
import { OpeningError } from '../../shared/openings/opening-error.ts';
import type {
  PlacedRecord,
  RoundPosition,
  RoundView,
  UpdateBlocks,
  VectorName,
} from '../../shared/openings/round-view.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { StoredBlobError } from '../apply-round.ts';
import { type BlobKind, isIntact } from '../backup/blob-references.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { checkUpdateFile } from '../blobs/check-update-file.ts';
import type { JobRunner } from '../runner.ts';
import type { Heads } from './heads.ts';

/** Where a round's data come from. */
export interface RoundViewOptions {
  /** The job's terms. */
  readonly terms: JobTerms;
  /** The job's loop, which knows the records. */
  readonly runner: Pick<JobRunner, 'recordOf'>;
  /** The heads between them. */
  readonly heads: Heads;
  /** Its blobs. */
  readonly blobs: BlobStore;
  /** Opens the updates of a round for reading in pieces. */
  readonly openUpdates: OpenUpdates;
}

/** Opens the updates of a round, to be read block by block and closed when that is done. */
export type OpenUpdates = (rows: UpdateRows) => UpdateBlocks & { close(): Promise<void> };

/** Where an anchored round stands in the chain, by the log; undefined for one that is not anchored. */
export function positionOf({ terms, runner, heads }: RoundViewOptions, round: number): RoundPosition | undefined {
  const placed = (number: number): PlacedRecord | null => {
    const record = runner.recordOf(number);
    const parentHead = heads.headAfter(number - 1);
    return record && parentHead ? { record, parentHead } : null;
  };
  const found = placed(round);
  return found === null ? undefined : { terms, ...found, parent: round === 1 ? null : placed(round - 1) };
}

/**
 * A round as the coordinator's own blobs have it, each held to its root before it is shown to anybody.
 *
 * @param work - what to do with it; its files are open only that long
 * @throws StoredBlobError if a blob is missing or damaged; and what the work throws
 */
export async function withRoundView<Result>(
  { terms, blobs, openUpdates }: RoundViewOptions,
  position: RoundPosition,
  work: (view: RoundView) => Promise<Result>,
): Promise<Result> {
  const { record, parent } = position;
  const read = (id: Hex, kind: BlobKind): Promise<Uint8Array> => readSound(blobs, id, kind);
  const vector = async (id: Hex, kind: BlobKind): Promise<Int32Array | null> =>
    id === ZERO_HASH ? null : int32Vector(await read(id, kind));
  const vectors: Record<VectorName, () => Promise<Int32Array | null>> = {
    parentModel: () => vector(record.parentModelRoot, 'model'),
    model: () => vector(record.modelRoot, 'model'),
    aggregate: () => vector(record.aggregateRoot, 'aggregate'),
    parentState: () => vector(parent?.record.serverStateRoot ?? ZERO_HASH, 'serverState'),
    state: () => vector(record.serverStateRoot, 'serverState'),
  };
  const document = decodeDocument(await read(record.location, 'document'));
  const earlier = parent === null ? undefined : decodeDocument(await read(parent.record.location, 'document'));
  const { dimension } = terms.layout;
  const paths = document.contributions.map(({ updateRoot }) => join(blobs.folder, blobs.relativePath(updateRoot)));
  const findings = await Promise.all(
    document.contributions.map(async ({ updateRoot }, row) => {
      const finding = await checkUpdateFile(paths[row] as string, updateRoot, 2 * dimension);
      return finding === 'sound' ? [] : [unsound(blobs, updateRoot, finding)];
    }),
  );
  const [damage] = findings.flat();
  const updates = damage ? null : openUpdates({ place: 'files', paths, dimension });
  try {
    return await work({
      ...{ ...position, document, updates },
      parentRewards: earlier?.rewards ?? [],
      vector: (name) => vectors[name](),
    });
  } catch (error) {
    // Much can be answered without the updates. What cannot be names the one that is missing.
    throw damage && error instanceof OpeningError ? damage : error;
  } finally {
    await updates?.close();
  }
}

async function readSound(blobs: BlobStore, id: Hex, kind: BlobKind): Promise<Uint8Array> {
  const bytes = await blobs.get(id);
  if (bytes === undefined) throw unsound(blobs, id, 'missing');
  if (!isIntact({ id, kind }, bytes)) throw unsound(blobs, id, 'damaged');
  return bytes;
}

function unsound({ folder }: BlobStore, id: Hex, finding: 'missing' | 'damaged'): StoredBlobError {
  const state = finding === 'missing' ? `is missing from ${folder}` : `in ${folder} is damaged`;
  const sentence = `blob ${id} ${state}: put it back from a backup or from a participant, before time is up`;
  return new StoredBlobError(`coordinator/blob-${finding}`, sentence, { id });
}
