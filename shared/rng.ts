import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8, word } from './bytes.ts';

/** A reproducible stream of random numbers: the same seed gives the same stream on every machine. */
export interface Rng {
  /** The next 32 random bits as an unsigned integer. */
  nextUint32(): number;
  /** The next number in [0, 1), a multiple of 2^-32. */
  nextFloat(): number;
  /** An integer in [0, bound), unbiased; 1 <= bound <= 2^32. */
  below(bound: number): number;
}

/**
 * Creates a stream by xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its
 * 128-bit state taken from SHA-256 of the seed. Not for secrets.
 *
 * @param seed - bytes, or an unsigned 32-bit integer
 * @param label - separates streams drawn from one seed
 */
export function createRng(seed: Uint8Array | number, label = ''): Rng {
  let [a, b, c, d] = rngState(seed, label);

  const nextUint32 = (): number => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return scrambled;
  };
  return {
    nextUint32,
    nextFloat: () => nextUint32() / 2 ** 32,
    below: (bound) => {
      // Values in the incomplete last stretch of [0, 2^32) are drawn again, or small results would be favoured.
      const limit = 2 ** 32 - (2 ** 32 % bound);
      let drawn = nextUint32();
      while (drawn >= limit) drawn = nextUint32();
      return drawn % bound;
    },
  };
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/**
 * The four words that a stream of {@link createRng} starts from, for kernels that draw many streams at once.
 *
 * @param seed - bytes, or an unsigned 32-bit integer
 * @param label - separates streams drawn from one seed
 */
export function rngState(seed: Uint8Array | number, label = ''): [number, number, number, number] {
  const bytes = typeof seed === 'number' ? word(seed) : seed;
  const digest = sha256(concatBytes(bytes, utf8(`fedanchor/rng/${label}`)));
  const view = new DataView(digest.buffer, digest.byteOffset);
  const at = (index: number): number => view.getUint32(4 * index, true);
  return [at(0), at(1), at(2), at(3) | 1];
}
