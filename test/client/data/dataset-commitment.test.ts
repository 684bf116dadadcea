import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CommittedRecords,
  commitRecords,
  jobSalt,
  openRecord,
  type RecordProof,
  verifyRecord,
} from '../../../client/data/dataset-commitment.ts';
import { toHex } from '../../../shared/bytes.ts';
import { buildTree, leafHash, TREE } from '../../../shared/commitments/merkle-tree.ts';

const salt = new Uint8Array(32).fill(7);
const recordsOf = (raw: readonly Uint8Array[]): CommittedRecords => ({
  count: raw.length,
  label: (index) => index % 3,
  raw: (index) => raw[index] as Uint8Array,
});
const lists = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 });

/** The tree with all its leaves in memory, by the text of docs/data.md. */
function wholeTree(raw: readonly Uint8Array[]) {
  const leaves = raw.map((bytes, index) => {
    const number = Buffer.alloc(32);
    number.writeUInt32BE(index, 28);
    const own = createHmac('sha256', salt).update(number).digest();
    return leafHash(TREE.dataset, Buffer.concat([own, Uint8Array.of(0, 0, 0, index % 3), bytes]));
  });
  return buildTree(TREE.dataset, leaves);
}

describe('commitRecords', () => {
  it('is the root of the tree over all records, and opens as it does, for any number of them', () => {
    fc.assert(
      fc.property(lists, fc.nat(), (raw, choice) => {
        const tree = wholeTree(raw);
        const records = recordsOf(raw);
        const index = choice % raw.length;
        expect(commitRecords(records, salt)).toBe(toHex(tree.root));
        const proof = openRecord(records, salt, index);
        expect(proof.siblings).toEqual(tree.proof(index).map(toHex));
        expect(verifyRecord(proof)).toBe(true);
      }),
    );
  });

  it('changes with any record, their order and the salt', () => {
    const raw = [1, 2, 3, 4, 5].map((byte) => Uint8Array.of(byte));
    const root = commitRecords(recordsOf(raw), salt);
    expect(commitRecords(recordsOf(raw), salt)).toBe(root);
    expect(commitRecords(recordsOf([...raw].reverse()), salt)).not.toBe(root);
    expect(commitRecords(recordsOf(raw.slice(0, 4)), salt)).not.toBe(root);
    expect(commitRecords(recordsOf(raw), new Uint8Array(32))).not.toBe(root);
    const job = `0x${'01'.repeat(32)}` as const;
    expect(jobSalt(salt, job)).toEqual(jobSalt(salt, job));
    expect(jobSalt(salt, `0x${'02'.repeat(32)}`)).not.toEqual(jobSalt(salt, job));
  });
});

describe('verifyRecord', () => {
  const raw = Array.from({ length: 11 }, (_, at) => Uint8Array.of(at, at));
  const proof = openRecord(recordsOf(raw), salt, 6);
  it.each<[string, Partial<RecordProof>]>([
    ['another record', { record: '0x0607' }],
    ['another class', { label: 2 }],
    ['another place', { index: 7 }],
    ['a place of another tree', { index: 6 + 16 }],
    ['another salt', { salt: toHex(salt) }],
    ['another data set', { datasetCommitment: `0x${'00'.repeat(32)}` }],
    ['a sibling less', { siblings: proof.siblings.slice(1) }],
  ])('refuses %s', (_, change) => {
    expect(verifyRecord({ ...proof, ...change })).toBe(false);
  });

  it('has no proof for a record that is not there', () => {
    for (const index of [-1, 11, 0.5]) {
      expect(() => openRecord(recordsOf(raw), salt, index)).toThrow(
        expect.objectContaining({ code: 'data/no-such-record' }),
      );
    }
  });
});
