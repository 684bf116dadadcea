import { type Hex, toHex, ZERO_HASH } from '../../shared/bytes.ts';
import { TREE, type TreeKind } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, int16Vector, int32Vector, updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { checkServerState, serverStateWords } from '../../shared/fixed-point/server-state.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { AuditError } from './audit-error.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMissing, DivergenceFound, must, mustEqual, mustSucceed } from './divergence.ts';

/**
 * Fetches a blob; one that is not there, or longer than it can be, is a divergence of what it should have been.
 *
 * @param what - what the blob is, for the report
 * @throws DivergenceFound, and AuditError when the source cannot be asked
 */
export async function fetchBlob(blobs: BlobSource, what: string, id: Hex, mostBytes: number): Promise<Uint8Array> {
  try {
    return await blobs.get(id, mostBytes);
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    if (error.code !== 'audit/blob-missing' && error.code !== 'audit/blob-too-large') throw error;
    const expected = `a blob with the root ${id}`;
    if (error.code === 'audit/blob-missing') {
      throw new BlobMissing({ what, expected, found: 'no such blob', blob: id });
    }
    throw new DivergenceFound({ what, expected, found: `more than ${mostBytes} bytes`, blob: id });
  }
}

/**
 * Fetches a model, an aggregate or a server state and holds its bytes to its root.
 *
 * @param dimension - coordinates it must have
 * @param known - a vector that has this root: bytes equal to it need not be hashed
 * @throws DivergenceFound, AuditError
 */
export async function fetchVector(
  blobs: BlobSource,
  what: string,
  kind: TreeKind,
  root: Hex,
  dimension: number,
  known?: Int32Array,
): Promise<Int32Array> {
  const bytes = await fetchBlob(blobs, what, root, 4 * dimension);
  must(bytes.length === 4 * dimension, what, `${4 * dimension} bytes`, `${bytes.length} bytes`, root);
  const vector = int32Vector(bytes);
  if (known !== undefined && Buffer.compare(bytes, vectorBytes(known)) === 0) return vector;
  mustEqual(what, root, blockRoot(kind, vector), root);
  return vector;
}

/** {@link fetchVector} for a model. */
export function fetchModel(
  blobs: BlobSource,
  what: string,
  root: Hex,
  dimension: number,
  known?: Int32Array,
): Promise<Int32Array> {
  return fetchVector(blobs, what, TREE.model, root, dimension, known);
}

/**
 * Fetches the state of a job's server step and holds its bytes to their root and to what such a step can leave.
 *
 * @param known - a state that has this root
 * @returns null if the step keeps none
 * @throws DivergenceFound, AuditError
 */
export async function fetchServerState(
  blobs: BlobSource,
  { layout, manifest }: JobTerms,
  root: Hex,
  known?: Int32Array,
): Promise<Int32Array | null> {
  const { serverStep } = manifest.aggregation;
  const words = serverStateWords(layout, serverStep);
  if (words === 0) {
    mustEqual('serverStateRoot', ZERO_HASH, root);
    return null;
  }
  const what = 'published server state';
  const state = await fetchVector(blobs, what, TREE.serverState, root, words, known);
  mustSucceed(what, `a state that ${serverStep.name} can leave`, root, () =>
    checkServerState(layout, serverStep, state),
  );
  return state;
}

/**
 * Fetches an update and holds its bytes to the root its sender signed.
 *
 * @throws DivergenceFound, AuditError
 */
export async function fetchUpdate(blobs: BlobSource, what: string, root: Hex, dimension: number): Promise<Int16Array> {
  const bytes = await fetchBlob(blobs, what, root, 2 * dimension);
  must(bytes.length === 2 * dimension, what, `${2 * dimension} bytes`, `${bytes.length} bytes`, root);
  mustEqual(what, root, toHex(updateTree(bytes).root), root);
  return int16Vector(bytes);
}
