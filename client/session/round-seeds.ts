import { concatBytes, fromHex, word } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { createRng, type Rng } from '../../shared/rng.ts';
import type { SubmissionKey } from '../journal/submission-journal.ts';

/** The random choices of one client in one attempt at a round. */
export interface RoundSeeds {
  /** Seed of the training, an unsigned 32-bit integer. */
  readonly training: number;
  /** Source of the stochastic rounding. */
  readonly rounding: Rng;
}

/**
 * Derives a client's random choices from SHA-256 of its seed, the job, the round and the attempt: a client that starts
 * over makes the same ones. Clients of one job need different seeds, or their roundings would err together.
 *
 * @param clientSeed - secret to the client where its choices should not be foreseen
 */
export function roundSeeds(clientSeed: Uint8Array, { job, round, attempt }: SubmissionKey): RoundSeeds {
  const seed = sha256Digest(concatBytes(clientSeed, fromHex(job, 32), word(round), word(attempt)));
  return { training: createRng(seed, 'training').nextUint32(), rounding: createRng(seed, 'rounding') };
}
