import { hash } from 'node:crypto';
import { installSha256 } from '../commitments/hashing.ts';

/** Lets the platform's OpenSSL do the hashing: several times the speed of portable code on long leaves. */
export function usePlatformHashing(): void {
  // A hash object, and a digest with memory of its own outside the heap, cost the collector more than hashing a short
  // leaf: a tree keeps tens of thousands of digests. Digests taken as text come to lie side by side in pooled memory.
  installSha256((data) => Buffer.from(hash('sha256', data, 'binary'), 'binary'));
}
