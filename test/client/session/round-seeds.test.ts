import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { roundSeeds } from '../../../client/session/round-seeds.ts';
import { createRng } from '../../../shared/rng.ts';
import { JOB } from './world.ts';

const seed = new Uint8Array(32).fill(5);
const key = { job: JOB, round: 3, attempt: 1 };
const drawn = (from: ReturnType<typeof roundSeeds>) => [from.training, from.rounding.nextUint32()];

describe('roundSeeds', () => {
  it('repeats', () => {
    expect(drawn(roundSeeds(seed, key))).toEqual(drawn(roundSeeds(seed, key)));
  });

  it('is SHA-256 of seed, job, round and attempt, one stream for each use', () => {
    const bytes = Buffer.concat([
      seed,
      Buffer.from(JOB.slice(2), 'hex'),
      Buffer.from('3'.padStart(64, '0'), 'hex'),
      Buffer.from('1'.padStart(64, '0'), 'hex'),
    ]);
    const digest = new Uint8Array(createHash('sha256').update(bytes).digest());
    expect(drawn(roundSeeds(seed, key))).toEqual([
      createRng(digest, 'training').nextUint32(),
      createRng(digest, 'rounding').nextUint32(),
    ]);
  });

  it('differs by seed, job, round and attempt', () => {
    const all = [
      roundSeeds(seed, key),
      roundSeeds(new Uint8Array(32).fill(6), key),
      roundSeeds(seed, { ...key, job: `0x${'07'.repeat(32)}` }),
      roundSeeds(seed, { ...key, round: 1 }),
      roundSeeds(seed, { ...key, attempt: 3 }),
    ];
    expect(new Set(all.map(({ training }) => training)).size).toBe(all.length);
  });
});
