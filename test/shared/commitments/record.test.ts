import { AbiCoder, dataSlice, keccak256, zeroPadBytes } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/bytes.ts';
import {
  encodeRecord,
  genesisHead,
  nextHead,
  type RoundRecord,
  recordHash,
} from '../../../shared/commitments/record.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const hash = bytes(32);
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Members and Solidity types in the order of the contract's struct. */
const STRUCT = [
  ['job', 'bytes32'],
  ['round', 'uint64'],
  ['attempt', 'uint32'],
  ['participants', 'uint32'],
  ['updateBits', 'uint8'],
  ['seedIndex', 'uint32'],
  ['seed', 'bytes32'],
  ['fixedPlanHash', 'bytes32'],
  ['tensorTableRoot', 'bytes32'],
  ['parentModelRoot', 'bytes32'],
  ['modelRoot', 'bytes32'],
  ['serverStateRoot', 'bytes32'],
  ['aggregateRoot', 'bytes32'],
  ['matrixRoot', 'bytes32'],
  ['contributionsRoot', 'bytes32'],
  ['gramRoot', 'bytes32'],
  ['weightsRoot', 'bytes32'],
  ['scoresRoot', 'bytes32'],
  ['rewardsRoot', 'bytes32'],
  ['rewardsTotal', 'uint256'],
  ['location', 'bytes32'],
] as const;

const record: fc.Arbitrary<RoundRecord> = fc.record({
  job: hash,
  round: fc.maxSafeInteger().map(Math.abs),
  attempt: uint32,
  participants: uint32,
  updateBits: fc.integer({ min: 0, max: 255 }),
  seedIndex: uint32,
  seed: hash,
  fixedPlanHash: hash,
  tensorTableRoot: hash,
  parentModelRoot: hash,
  modelRoot: hash,
  serverStateRoot: hash,
  aggregateRoot: hash,
  matrixRoot: hash,
  contributionsRoot: hash,
  gramRoot: hash,
  weightsRoot: hash,
  scoresRoot: hash,
  rewardsRoot: hash,
  rewardsTotal: fc.bigInt(0n, (1n << 256n) - 1n),
  location: hash,
});

const coder = AbiCoder.defaultAbiCoder();

function byEthers(value: RoundRecord): string {
  return coder.encode([`tuple(${STRUCT.map(([name, type]) => `${type} ${name}`).join(',')})`], [value]);
}

describe('round record', () => {
  it("is encoded as the ABI encodes the contract's struct", () => {
    fc.assert(
      fc.property(record, (value) => {
        const encoded = encodeRecord(value);
        expect(encoded.length).toBe(21 * 32);
        expect(toHex(encoded)).toBe(byEthers(value));
        expect(recordHash(value)).toBe(keccak256(byEthers(value)));
      }),
    );
  });

  it('is encoded by names, not by the order in which an object was made', () => {
    fc.assert(
      fc.property(record, (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse()) as unknown as RoundRecord;
        expect(recordHash(reversed)).toBe(recordHash(value));
      }),
      { numRuns: 20 },
    );
  });
});

describe('hash chain', () => {
  it('starts from 26 bytes bound to chain, contract, job, manifest and model', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, (1n << 256n) - 1n),
        bytes(20),
        hash,
        hash,
        hash,
        (chainId, anchor, job, manifest, model) => {
          const encoded = coder.encode(
            ['uint256', 'address', 'bytes32', 'bytes32', 'bytes32'],
            [chainId, anchor, job, manifest, model],
          );
          expect(genesisHead({ chainId, anchor, job, manifestHash: manifest, genesisModelRoot: model })).toBe(
            dataSlice(keccak256(encoded), 0, 26),
          );
        },
      ),
    );
  });

  it('goes on by the head, left-aligned in its word, and the hash of the record', () => {
    fc.assert(
      fc.property(bytes(26), hash, (head, hashed) => {
        const encoded = coder.encode(['bytes32', 'bytes32'], [zeroPadBytes(head, 32), hashed]);
        expect(nextHead(head, hashed)).toBe(dataSlice(keccak256(encoded), 0, 26));
      }),
    );
  });
});
