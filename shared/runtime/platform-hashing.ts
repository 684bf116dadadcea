import { createHash } from 'node:crypto';
import { installSha256 } from '../commitments/hashing.ts';

/** Lets the platform's OpenSSL do the hashing: several times the speed of portable code on long leaves. */
export function usePlatformHashing(): void {
  installSha256((data) => createHash('sha256').update(data).digest());
}
