import { fromHex, type Hex } from '../bytes.ts';
import { FedanchorError } from '../errors.ts';
import { ATTESTATION_TYPE, type SigningDomain, typedDataDigest } from './typed-data.ts';

/** Thrown when attestations cannot be put into the form that the contract reads. */
export class AttestationError extends FedanchorError<
  'attestation/invalid-position' | 'attestation/invalid-signature'
> {}

/** What a participant says by signing it: it has fetched and recomputed the job's rounds up to this head. */
export interface Attestation {
  /** The job. */
  readonly job: Hex;
  /** Round after which the job's chain has this head. */
  readonly round: number;
  /** The head, 26 bytes. */
  readonly head: Hex;
}

/** An attestation's signature and where its participant stands in the published roster. */
export interface PlacedAttestation {
  /** Position in the roster, from 0; below 2^16. */
  readonly position: number;
  /** r, s, v: 65 bytes, s in the lower half, v 27 or 28. */
  readonly signature: Hex;
}

/** Bytes of one attestation as the contract reads it: position, r, and s with the parity of v in its highest bit. */
const PACKED_BYTES = 66;

/** The digest a participant signs, by EIP-712; `contracts/lib/Attestations.sol` computes the same. */
export function attestationDigest(domain: SigningDomain, { job, round, head }: Attestation): Uint8Array {
  return typedDataDigest(domain, ATTESTATION_TYPE, { job, round, head });
}

/**
 * Puts attestations over one head into the form that `RoundAnchor.finalize` takes: 66 bytes each, in ascending order of
 * position, the signature in its short form (EIP-2098).
 *
 * @param attestations - in any order, each position once
 * @returns their bytes
 * @throws AttestationError `attestation/invalid-position`, `attestation/invalid-signature`
 */
export function packAttestations(attestations: readonly PlacedAttestation[]): Uint8Array {
  const sorted = [...attestations].sort((a, b) => a.position - b.position);
  const packed = new Uint8Array(PACKED_BYTES * sorted.length);
  sorted.forEach(({ position, signature }, index) => {
    if (!Number.isInteger(position) || position < 0 || position > 0xffff || position === sorted[index - 1]?.position) {
      throw new AttestationError(
        'attestation/invalid-position',
        `position ${position} is not one of a roster, or comes twice: each participant attests once`,
        { position },
      );
    }
    const bytes = fromHex(signature, 65);
    const v = bytes[64] as number;
    // The highest bit of s has to be free, as it is in the lower half.
    if ((v !== 27 && v !== 28) || (bytes[32] as number) > 0x7f) {
      throw new AttestationError(
        'attestation/invalid-signature',
        `the signature at position ${position} has no short form: v must be 27 or 28, and s in the lower half`,
        { position },
      );
    }
    const place = index * PACKED_BYTES;
    packed[place] = position >> 8;
    packed[place + 1] = position & 0xff;
    packed.set(bytes.subarray(0, 64), place + 2);
    if (v === 28) packed[place + 34] = (packed[place + 34] as number) | 0x80;
  });
  return packed;
}
