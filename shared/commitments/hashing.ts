import { sha256 } from '@noble/hashes/sha2.js';

/**
 * SHA-256 as a port: `@noble/hashes` is everywhere, a composition root may install the platform's own. It must not keep
 * what it is given, whose memory is used again.
 */
export type Sha256 = (data: Uint8Array) => Uint8Array;

let installed: Sha256 = sha256;

/** SHA-256 of a byte string, by whichever implementation is installed. */
export function sha256Digest(data: Uint8Array): Uint8Array {
  return installed(data);
}

/** Replaces the implementation behind {@link sha256Digest}; the digests are the same, only the speed differs. */
export function installSha256(implementation: Sha256): void {
  installed = implementation;
}
