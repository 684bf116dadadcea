import { type Hex, toHex } from '../../shared/bytes.ts';
import { contributionsRoot } from '../../shared/commitments/contribution.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { decodeDocument, encodeDocument, type RoundDocument } from '../../shared/round/document.ts';
import type { BlobSource } from './blob-source.ts';
import { mustEqual, mustSucceed } from './divergence.ts';
import { fetchBlob } from './fetch-blob.ts';

/** Room for a Gram matrix of a thousand participants and a million accounts. */
const DOCUMENT_LIMIT_BYTES = 256 * 2 ** 20;

/**
 * Fetches a round's document and holds it to its hash and to its form: canonical, with hexadecimal of the right lengths
 * and amounts that the ABI can hold.
 *
 * @param id - the record's location
 * @throws DivergenceFound, AuditError
 */
export async function fetchDocument(blobs: BlobSource, id: Hex): Promise<RoundDocument> {
  const bytes = await fetchBlob(blobs, 'document', id, DOCUMENT_LIMIT_BYTES);
  mustEqual('document', id, toHex(sha256Digest(bytes)), id);
  return mustSucceed('document', 'a valid round document', id, () => {
    const document = decodeDocument(bytes);
    // The trees refuse what does not fit their leaves; later steps need not meet it.
    contributionsRoot(document.contributions);
    rewardsTree(document.rewards);
    return document;
  });
}

/** The first member in which two documents differ, as a path such as `scores.2`, with both values. */
export function firstDifference(
  expected: RoundDocument,
  found: RoundDocument,
): { readonly path: string; readonly expected: string; readonly found: string } | undefined {
  const parse = (document: RoundDocument): unknown => JSON.parse(new TextDecoder().decode(encodeDocument(document)));
  return differ(parse(expected), parse(found), []);
}

function differ(
  expected: unknown,
  found: unknown,
  path: readonly string[],
): { readonly path: string; readonly expected: string; readonly found: string } | undefined {
  if (isParent(expected) && isParent(found)) {
    for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const difference = differ(expected[name], found[name], [...path, name]);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (expected === found) return undefined;
  return {
    path: path.join('.'),
    expected: JSON.stringify(expected) ?? 'nothing',
    found: JSON.stringify(found) ?? 'nothing',
  };
}

function isParent(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
