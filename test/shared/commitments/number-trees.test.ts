import { createHash } from 'node:crypto';
import { AbiCoder, getBytes, keccak256 } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes.ts';
import { byParticipant, type Contribution, contributionsRoot } from '../../../shared/commitments/contribution.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';

const coder = AbiCoder.defaultAbiCoder();
const int256 = fc.bigInt(-(1n << 255n), (1n << 255n) - 1n);

function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
}

function rootOf(tag: number, leaves: readonly string[], level: number, from = 0): Uint8Array {
  if (level === 0) {
    const leaf = leaves[from];
    return leaf === undefined ? new Uint8Array(32) : sha256(Uint8Array.of(tag, 0), getBytes(leaf));
  }
  return sha256(
    Uint8Array.of(tag, level),
    rootOf(tag, leaves, level - 1, from),
    rootOf(tag, leaves, level - 1, from + 2 ** (level - 1)),
  );
}

const expected = (tag: number, leaves: readonly string[]) =>
  toHex(rootOf(tag, leaves, Math.ceil(Math.log2(leaves.length))));

describe('trees of numbers', () => {
  it('commit to a Gram matrix by rows of int256', () => {
    const matrix = fc
      .integer({ min: 1, max: 6 })
      .chain((n) => fc.array(fc.array(int256, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }));
    fc.assert(
      fc.property(matrix, (gram) => {
        const leaves = gram.map((row) =>
          coder.encode(
            row.map(() => 'int256'),
            row,
          ),
        );
        expect(gramRoot(gram)).toBe(expected(7, leaves));
      }),
    );
  });

  it('commit to weights and scores one int256 a leaf, under different tags', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { minLength: 1, maxLength: 20 }), (weights) => {
        const leaves = weights.map((weight) => coder.encode(['int256'], [weight]));
        expect(weightsRoot(weights)).toBe(expected(8, leaves));
        expect(scoresRoot(weights.map(BigInt))).toBe(expected(9, leaves));
      }),
    );
  });
});

describe('contributions', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const contribution: fc.Arbitrary<Contribution> = fc.record({
    participant: bytes(20),
    updateRoot: bytes(32),
    samples: uint32,
    largestMagnitude: uint32,
    datasetCommitment: bytes(32),
    signature: bytes(65),
  });

  it('are committed to as seven ABI words each, the signature by its hash', () => {
    fc.assert(
      fc.property(fc.array(contribution, { minLength: 1, maxLength: 9 }), (list) => {
        const leaves = list.map((one) =>
          coder.encode(
            ['address', 'bytes32', 'uint32', 'uint32', 'bytes32', 'bytes32', 'uint8'],
            [
              one.participant,
              one.updateRoot,
              one.samples,
              one.largestMagnitude,
              one.datasetCommitment,
              keccak256(one.signature),
              1,
            ],
          ),
        );
        expect(contributionsRoot(list)).toBe(expected(6, leaves));
      }),
    );
  });

  it('are ordered by address as bytes are', () => {
    fc.assert(
      fc.property(fc.array(contribution, { maxLength: 12 }), (list) => {
        const ours = [...list].sort(byParticipant).map(({ participant }) => participant);
        const bytewise = list
          .map(({ participant }) => participant)
          .sort((a, b) => Buffer.compare(fromHex(a), fromHex(b)));
        expect(ours).toEqual(bytewise);
      }),
    );
  });
});
