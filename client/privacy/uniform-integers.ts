import { randomFillSync } from 'node:crypto';

/** A source of unbiased random integers. */
export interface UniformIntegers {
  /** An integer in [0, bound), each equally likely; 1 <= bound <= 2^53. */
  below(bound: number): number;
}

const POOL_BYTES = 65_536;
const WORD = 2 ** 32;
const MOST = 2 ** 53;

/**
 * Random integers from 32-bit words.
 *
 * @param nextUint32 - the next 32 random bits, as an unsigned integer
 */
export function uniformIntegers(nextUint32: () => number): UniformIntegers {
  const draw = (span: number): number =>
    span === WORD ? nextUint32() : (nextUint32() % 2 ** 21) * WORD + nextUint32();
  return {
    below: (bound) => {
      const span = bound <= WORD ? WORD : MOST;
      // Values in the incomplete last stretch of the span are drawn again, or small results would be favoured.
      const limit = span - (span % bound);
      let drawn = draw(span);
      while (drawn >= limit) drawn = draw(span);
      return drawn % bound;
    },
  };
}

/**
 * Random integers from the machine's cryptographic generator: noise that protects data must not be foreseen, nor
 * repeated from any seed.
 */
export function secureIntegers(): UniformIntegers {
  const pool = new Uint32Array(POOL_BYTES / 4);
  let at = pool.length;
  return uniformIntegers(() => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const drawn = pool[at] as number;
    // What was used is not left in memory, from which noise could be taken off again.
    pool[at++] = 0;
    return drawn;
  });
}
