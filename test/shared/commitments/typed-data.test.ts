import { TypedDataEncoder } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytesError, type Hex, toHex } from '../../../shared/bytes.ts';
import { updateDigest } from '../../../shared/commitments/contribution.ts';
import { receiptDigest, VERDICTS } from '../../../shared/commitments/receipt.ts';
import {
  ATTESTATION_TYPE,
  RECEIPT_TYPE,
  SESSION_TYPE,
  type SigningDomain,
  type StructType,
  typedDataDigest,
  UPDATE_TYPE,
} from '../../../shared/commitments/typed-data.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const domain = fc.record({ chainId: fc.bigInt(1n, (1n << 256n) - 1n), anchor: bytes(20) });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const uint64 = fc.maxSafeInteger().map(Math.abs);

const update = fc.record({
  job: bytes(32),
  round: uint64,
  attempt: uint32,
  parentRoot: bytes(32),
  updateRoot: bytes(32),
  samples: uint32,
  largestMagnitude: uint32,
  datasetCommitment: bytes(32),
});
const receipt = fc.record({
  job: bytes(32),
  round: uint64,
  attempt: uint32,
  participant: bytes(20),
  updateRoot: bytes(32),
  verdict: fc.constantFrom('accepted', 'late', 'rejected' as const),
  code: fc.string({ unit: 'grapheme' }),
});
const session = fc.record({ coordinator: bytes(20), role: fc.string(), challenge: bytes(32) });
const attestation = fc.record({ job: bytes(32), round: uint64, head: bytes(26) });

function byEthers({ chainId, anchor }: SigningDomain, type: StructType, message: Record<string, unknown>): string {
  return TypedDataEncoder.hash(
    { name: 'fedanchor', version: '1', chainId, verifyingContract: anchor },
    { [type.name]: type.fields.map(([name, kind]) => ({ name, type: kind })) },
    message,
  );
}

describe("EIP-712 digests equal ethers' TypedDataEncoder", () => {
  it('for an update', () => {
    fc.assert(
      fc.property(domain, update, (where, message) => {
        expect(toHex(updateDigest(where, message))).toBe(byEthers(where, UPDATE_TYPE, message));
      }),
    );
  });

  it('for a receipt, its verdict as a number', () => {
    fc.assert(
      fc.property(domain, receipt, (where, message) => {
        const numbered = { ...message, verdict: VERDICTS[message.verdict as keyof typeof VERDICTS] };
        expect(toHex(receiptDigest(where, message as Parameters<typeof receiptDigest>[1]))).toBe(
          byEthers(where, RECEIPT_TYPE, numbered),
        );
      }),
    );
  });

  it('for a session', () => {
    fc.assert(
      fc.property(domain, session, (where, message) => {
        expect(toHex(typedDataDigest(where, SESSION_TYPE, message))).toBe(byEthers(where, SESSION_TYPE, message));
      }),
    );
  });

  it('for an attestation, its head of 26 bytes left-aligned', () => {
    fc.assert(
      fc.property(domain, attestation, (where, message) => {
        expect(toHex(typedDataDigest(where, ATTESTATION_TYPE, message))).toBe(
          byEthers(where, ATTESTATION_TYPE, message),
        );
      }),
    );
  });
});

describe('struct types', () => {
  it.each([
    [
      UPDATE_TYPE,
      'Update(bytes32 job,uint64 round,uint32 attempt,bytes32 parentRoot,bytes32 updateRoot,uint32 samples,uint32 largestMagnitude,bytes32 datasetCommitment)',
    ],
    [
      RECEIPT_TYPE,
      'Receipt(bytes32 job,uint64 round,uint32 attempt,address participant,bytes32 updateRoot,uint8 verdict,string code)',
    ],
    [SESSION_TYPE, 'Session(address coordinator,string role,bytes32 challenge)'],
    [ATTESTATION_TYPE, 'Attestation(bytes32 job,uint64 round,bytes26 head)'],
  ] as const)('keep to what wallets show and contracts hash: %j', (type, encoded) => {
    expect(`${type.name}(${type.fields.map(([name, kind]) => `${kind} ${name}`).join(',')})`).toBe(encoded);
  });

  it('number the verdicts of receipts for good', () => {
    expect(VERDICTS).toEqual({ accepted: 1, late: 2, rejected: 3 });
  });
});

describe('updateDigest', () => {
  const where: SigningDomain = { chainId: 31337n, anchor: `0x${'aa'.repeat(20)}` };
  const statement = {
    job: `0x${'01'.repeat(32)}`,
    round: 1,
    attempt: 0,
    parentRoot: `0x${'02'.repeat(32)}`,
    updateRoot: `0x${'03'.repeat(32)}`,
    samples: 10,
    largestMagnitude: 20,
    datasetCommitment: `0x${'04'.repeat(32)}`,
  } as const;

  it('changes with every member and with the domain', () => {
    const variants = [
      updateDigest(where, statement),
      updateDigest({ ...where, chainId: 1n }, statement),
      updateDigest({ ...where, anchor: `0x${'ab'.repeat(20)}` }, statement),
      ...Object.entries(statement).map(([name, value]) =>
        updateDigest(where, {
          ...statement,
          [name]: typeof value === 'number' ? value + 1 : (`0x${'ff'.repeat(32)}` as Hex),
        }),
      ),
    ].map(toHex);
    expect(new Set(variants).size).toBe(variants.length);
  });

  it('refuses what does not fit its type', () => {
    expect(() => updateDigest(where, { ...statement, job: '0x01' })).toThrow(BytesError);
    expect(() => updateDigest(where, { ...statement, samples: -1 })).toThrow(BytesError);
  });
});
