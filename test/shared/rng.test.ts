import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../shared/rng.ts';

const MASK = (1n << 32n) - 1n;

/** xoshiro128** as its authors' C has it (xoshiro128starstar.c), in unbounded integers cut to 32 bits. */
function reference(state: [bigint, bigint, bigint, bigint]): () => number {
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & MASK;
  const s = state;
  return () => {
    const result = (rotl((s[1] * 5n) & MASK, 7n) * 9n) & MASK;
    const t = (s[1] << 9n) & MASK;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
    return Number(result);
  };
}

function stateFrom(seed: Uint8Array, label: string): [bigint, bigint, bigint, bigint] {
  const digest = createHash('sha256').update(seed).update(`fedanchor/rng/${label}`).digest();
  const word = (index: number) => BigInt(digest.readUInt32LE(index * 4));
  return [word(0), word(1), word(2), word(3) | 1n];
}

describe('createRng', () => {
  it("gives the numbers of the authors' reference for the state 1, 2, 3, 4", () => {
    // First outputs of xoshiro128** 1.1 from that state: a check of this file's own reference.
    const next = reference([1n, 2n, 3n, 4n]);
    expect([next(), next(), next(), next()]).toEqual([11520, 0, 5927040, 70819200]);
  });

  it('is xoshiro128** seeded by SHA-256 of seed and label', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.string(), (seed, label) => {
        const rng = createRng(seed, label);
        const expected = reference(stateFrom(seed, label));
        for (let draw = 0; draw < 50; draw++) expect(rng.nextUint32()).toBe(expected());
      }),
      { numRuns: 50 },
    );
  });

  it('takes a number as its 32-byte big-endian word', () => {
    const bytes = Buffer.alloc(32);
    bytes.writeUInt32BE(123_456_789, 28);
    const a = createRng(123_456_789, 'x');
    const b = createRng(bytes, 'x');
    expect(Array.from({ length: 20 }, () => a.nextUint32())).toEqual(Array.from({ length: 20 }, () => b.nextUint32()));
  });

  it('keeps streams of different labels and seeds apart', () => {
    const streams = [createRng(1), createRng(2), createRng(1, 'a'), createRng(1, 'b')].map((rng) =>
      Array.from({ length: 8 }, () => rng.nextUint32()).join(),
    );
    expect(new Set(streams).size).toBe(4);
  });

  it('draws floats in [0, 1) as 32-bit numbers over 2^32', () => {
    const floats = createRng(5);
    const words = createRng(5);
    for (let draw = 0; draw < 1000; draw++) {
      const value = floats.nextFloat();
      expect(value).toBe(words.nextUint32() / 2 ** 32);
      expect(value < 1).toBe(true);
    }
  });

  it('draws below any bound, and only below it', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 2 ** 32 })),
        (seed, bound) => {
          const rng = createRng(seed);
          for (let draw = 0; draw < 20; draw++) {
            const value = rng.below(bound);
            expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
          }
        },
      ),
    );
  });

  it('draws again instead of favouring small results', () => {
    // With 3/4 of 2^32 as the bound, a plain remainder would give the lowest third twice as often as the rest.
    const bound = 3 * 2 ** 30;
    const counts = [0, 0, 0];
    const rng = createRng(11);
    const draws = 30_000;
    for (let draw = 0; draw < draws; draw++) {
      const third = Math.floor(rng.below(bound) / 2 ** 30);
      counts[third] = (counts[third] as number) + 1;
    }
    const sigma = Math.sqrt(draws * (1 / 3) * (2 / 3));
    for (const count of counts) expect(Math.abs(count - draws / 3)).toBeLessThan(4 * sigma);
  });

  it('spreads small bounds evenly', () => {
    const rng = createRng(3);
    const counts = new Array<number>(7).fill(0);
    const draws = 70_000;
    for (let draw = 0; draw < draws; draw++) {
      const value = rng.below(7);
      counts[value] = (counts[value] as number) + 1;
    }
    const sigma = Math.sqrt((draws / 7) * (6 / 7));
    for (const count of counts) expect(Math.abs(count - draws / 7)).toBeLessThan(4.5 * sigma);
  });
});
