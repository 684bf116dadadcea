import { createHmac } from 'node:crypto';
import { concatBytes, fromHex, type Hex, toHex, word } from '../../shared/bytes.ts';
import { leafHash, nodeHash, paddingAt, TREE, verifyLeaf } from '../../shared/commitments/merkle-tree.ts';
import { DataError } from './data-error.ts';

/** Records in an order that stays. */
export interface CommittedRecords {
  /** How many. */
  readonly count: number;
  /** The class of a record, or 0 where records have none. */
  label(index: number): number;
  /** A record's bytes. */
  raw(index: number): Uint8Array;
}

/** What shows one record of a data set that was committed to, and nothing of the others. */
export interface RecordProof {
  /** Version of this form. */
  readonly version: 1;
  /** The commitment, as it stands in the client's signed updates. */
  readonly datasetCommitment: Hex;
  /** Which record, from 0. */
  readonly index: number;
  /** Its class. */
  readonly label: number;
  /** Its own salt, from which no other one follows. */
  readonly salt: Hex;
  /** Its bytes as they stand in the data. */
  readonly record: Hex;
  /** Siblings from the leaf to the root, lowest first. */
  readonly siblings: readonly Hex[];
}

const SALT_BYTES = 32;

/**
 * The salt of a client's data in one job: from a secret that the client keeps, so that the same data has one commitment
 * within a job and, for whoever does not have the secret, nothing to do with the one in another.
 *
 * @param secret - 32 random bytes
 * @param manifestHash - of the job's manifest
 */
export function jobSalt(secret: Uint8Array, manifestHash: Hex): Uint8Array {
  return hmac(secret, concatBytes(new TextEncoder().encode('fedanchor/dataset-salt'), fromHex(manifestHash, 32)));
}

/**
 * Commits to records: the root of a Merkle tree whose leaves are `SHA-256(11 ‖ 0 ‖ salt_i ‖ label ‖ record)`, `salt_i` =
 * HMAC-SHA256(salt, i) and the label four big-endian bytes. Without its salt a leaf tells nothing about its record, though
 * that be one of few possible. Memory does not grow with the records.
 *
 * @param records - at least one
 * @param salt - see {@link jobSalt}
 */
export function commitRecords(records: CommittedRecords, salt: Uint8Array): Hex {
  return toHex(walk(records, salt, -1).root);
}

/**
 * Opens one record of a data set.
 *
 * @param records - the same that were committed to
 * @param salt - the same salt
 * @param index - which record, from 0
 * @throws DataError `data/no-such-record`
 */
export function openRecord(records: CommittedRecords, salt: Uint8Array, index: number): RecordProof {
  if (!Number.isInteger(index) || index < 0 || index >= records.count) {
    throw new DataError('data/no-such-record', `there is no record ${index}: there are 0 to ${records.count - 1}`, {
      index,
      records: records.count,
    });
  }
  const { root, siblings } = walk(records, salt, index);
  return {
    version: 1,
    datasetCommitment: toHex(root),
    index,
    label: records.label(index),
    salt: toHex(recordSalt(salt, index)),
    record: toHex(records.raw(index)),
    siblings: siblings.map(toHex),
  };
}

/** Whether a proof shows a record of the data set that it names. */
export function verifyRecord({ datasetCommitment, index, label, salt, record, siblings }: RecordProof): boolean {
  const bytes = leafBytes(fromHex(salt, SALT_BYTES), label, fromHex(record));
  return verifyLeaf(
    TREE.dataset,
    fromHex(datasetCommitment, 32),
    index,
    bytes,
    siblings.map((sibling) => fromHex(sibling, 32)),
  );
}

/** Builds the tree leaf by leaf, keeping one node of each height and the siblings of one leaf's path. */
function walk(
  records: CommittedRecords,
  salt: Uint8Array,
  opened: number,
): { readonly root: Uint8Array; readonly siblings: Uint8Array[] } {
  const waiting: (Uint8Array | undefined)[] = [];
  const siblings: Uint8Array[] = [];
  const join = (left: Uint8Array, right: Uint8Array, height: number, at: number): Uint8Array => {
    // `at` is the position of the pair's parent: of a pair on the path, the one that is not on it is the sibling.
    if (opened >= 0 && at === Math.floor(opened / 2 ** (height + 1))) {
      siblings[height] = Math.floor(opened / 2 ** height) % 2 === 1 ? left : right;
    }
    return nodeHash(TREE.dataset, height + 1, left, right);
  };
  for (let index = 0; index < records.count; index++) {
    let node = leafHash(TREE.dataset, leafBytes(recordSalt(salt, index), records.label(index), records.raw(index)));
    let height = 0;
    for (; waiting[height]; height++) {
      node = join(waiting[height] as Uint8Array, node, height, Math.floor(index / 2 ** (height + 1)));
      waiting[height] = undefined;
    }
    waiting[height] = node;
  }
  const depth = Math.ceil(Math.log2(records.count));
  let node: Uint8Array | undefined;
  for (let height = 0; height < depth; height++) {
    const left = waiting[height];
    const filler = paddingAt(TREE.dataset, height);
    const at = Math.floor((records.count - 1) / 2 ** (height + 1));
    if (left && node) node = join(left, node, height, at);
    else if (left || node) node = join((left ?? node) as Uint8Array, filler, height, at);
  }
  return { root: node ?? (waiting[depth] as Uint8Array), siblings };
}

function recordSalt(salt: Uint8Array, index: number): Uint8Array {
  return hmac(salt, word(index));
}

function leafBytes(salt: Uint8Array, label: number, record: Uint8Array): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, label);
  return concatBytes(salt, head, record);
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest());
}
