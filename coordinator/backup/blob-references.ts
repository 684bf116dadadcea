import { type Hex, toHex, ZERO_HASH } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockTree, int32Vector, updateTree } from '../../shared/commitments/vector-trees.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { manifestHash } from '../../shared/round/manifest.ts';
import { anchoredRounds, type JobEvent } from '../round/events.ts';

/** What a blob is, which decides how its identifier follows from its bytes. */
export type BlobKind = 'manifest' | 'model' | 'serverState' | 'aggregate' | 'document' | 'update';

/** A blob that a job's log speaks of. */
export interface BlobReference {
  /** Its identifier. */
  readonly id: Hex;
  /** What it is. */
  readonly kind: BlobKind;
  /** Whether the job cannot do without it: all but updates of anchored rounds, which may be past their retention. */
  readonly isRequired: boolean;
}

/** Every blob that a job's log speaks of, each once. */
export function blobReferences(terms: JobTerms, events: readonly JobEvent[]): BlobReference[] {
  const references = new Map<Hex, BlobReference>();
  const add = (id: Hex, kind: BlobKind, isRequired: boolean): void => {
    references.set(id, { id, kind, isRequired: isRequired || references.get(id)?.isRequired === true });
  };
  add(terms.job, 'manifest', true);
  add(terms.manifest.initialModelRoot, 'model', true);
  const anchored = anchoredRounds(events);
  for (const event of events) {
    if (event.type === 'updateAccepted') {
      add(event.statement.updateRoot, 'update', event.statement.round > anchored);
    } else if (event.type === 'roundAggregated') {
      add(event.record.modelRoot, 'model', true);
      add(event.record.aggregateRoot, 'aggregate', true);
      if (event.record.serverStateRoot !== ZERO_HASH) add(event.record.serverStateRoot as Hex, 'serverState', true);
      add(event.record.location, 'document', true);
    }
  }
  return [...references.values()];
}

/** Whether bytes are what an identifier of this kind commits to. */
export function isIntact({ id, kind }: Pick<BlobReference, 'id' | 'kind'>, bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  switch (kind) {
    case 'manifest':
      return manifestHash(bytes) === id;
    case 'document':
      return toHex(sha256Digest(bytes)) === id;
    case 'update':
      return toHex(updateTree(bytes).root) === id;
    case 'model':
    case 'serverState':
    case 'aggregate':
      return bytes.length % 4 === 0 && toHex(blockTree(TREE[kind], int32Vector(bytes)).root) === id;
  }
}
