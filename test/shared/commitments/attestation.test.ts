import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWallet, recoverAddress } from '../../../contracts/wallet.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import {
  AttestationError,
  attestationDigest,
  type PlacedAttestation,
  packAttestations,
} from '../../../shared/commitments/attestation.ts';

const DOMAIN = { chainId: 31337n, anchor: `0x${'ac'.repeat(20)}` } as const;
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((random) => toHex(Uint8Array.of(0x01, ...random.slice(1))));

/** Reads packed attestations as the contract does. */
function unpack(packed: Uint8Array): PlacedAttestation[] {
  return Array.from({ length: packed.length / 66 }, (_, index) => {
    const one = packed.slice(66 * index, 66 * (index + 1));
    const v = 27 + ((one[34] as number) >> 7);
    const rs = one.slice(2);
    rs[32] = (rs[32] as number) & 0x7f;
    return {
      position: (one[0] as number) * 256 + (one[1] as number),
      signature: `${toHex(rs)}${v.toString(16)}` as Hex,
    };
  });
}

describe('packed attestations', () => {
  it('hold every signature at its position, in ascending order, and are what was signed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 0xffff }), key), { maxLength: 6, selector: ([at]) => at }),
        bytes(32),
        fc.integer({ min: 1, max: 0xffffff }),
        bytes(26),
        (signers, job, round, head) => {
          const digest = attestationDigest(DOMAIN, { job, round, head });
          const signed = signers.map(([position, secret]) => {
            const wallet = createWallet(secret);
            return { position, signature: wallet.signDigest(digest), address: wallet.address };
          });
          const unpacked = unpack(packAttestations(signed));
          const expected = [...signed].sort((a, b) => a.position - b.position);
          expect(unpacked).toEqual(expected.map(({ position, signature }) => ({ position, signature })));
          unpacked.forEach(({ signature }, at) => {
            expect(recoverAddress(digest, signature)).toBe(expected[at]?.address);
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('differ by every member of what is attested', () => {
    const base = { job: `0x${'01'.repeat(32)}`, round: 1, head: `0x${'02'.repeat(26)}` } as const;
    const digests = [
      attestationDigest(DOMAIN, base),
      attestationDigest(DOMAIN, { ...base, job: `0x${'03'.repeat(32)}` }),
      attestationDigest(DOMAIN, { ...base, round: 2 }),
      attestationDigest(DOMAIN, { ...base, head: `0x${'04'.repeat(26)}` }),
      attestationDigest({ ...DOMAIN, chainId: 1n }, base),
    ].map(toHex);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it.each([
    ['a position twice', [{ position: 1 }, { position: 1 }], 'attestation/invalid-position'],
    ['a position that two bytes do not hold', [{ position: 65536 }], 'attestation/invalid-position'],
    ['s in the upper half', [{ position: 0, s: 'ff' }], 'attestation/invalid-signature'],
    ['a v that has no parity', [{ position: 0, v: '00' }], 'attestation/invalid-signature'],
  ])('are not made of %s', (_, given: { position: number; s?: string; v?: string }[], code) => {
    const attestations = given.map(({ position, s = '11', v = '1b' }) => ({
      position,
      signature: `0x${'11'.repeat(32)}${s.repeat(32)}${v}` as Hex,
    }));
    expect(() => packAttestations(attestations)).toThrow(expect.objectContaining({ code }));
    expect(() => packAttestations(attestations)).toThrow(AttestationError);
  });
});
