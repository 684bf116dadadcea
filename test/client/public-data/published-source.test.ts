import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type PublishedSource,
  publicSeed,
  publishedCommitment,
  publishedSourceSchema,
  publishesData,
  shardOf,
  splitPublished,
} from '../../../client/public-data/published-source.ts';
import { shardData } from '../../../client/public-data/shard-data.ts';
import type { TrainingData } from '../../../client/trainers/training-data.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { createRng } from '../../../shared/rng.ts';
import type { Manifest } from '../../../shared/round/manifest.ts';
import { createToyJob } from '../toy-job.ts';

const SOURCE: PublishedSource = {
  ...{ kind: 'published', shards: 4, exact: true },
  files: [{ name: 'train.csv', sha256: `0x${'a'.repeat(64)}`, bytes: 10 }],
};

const manifestWith = (data: unknown, admission: unknown = 'open'): Manifest => {
  const { manifest } = createToyJob().terms;
  const { participation, task } = manifest;
  return { ...manifest, task: { ...task, data }, participation: { ...participation, admission } } as Manifest;
};

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex);
const JOB: Hex = `0x${'1'.repeat(64)}`;

/** Computed by Python's hashlib from what docs/jobs.md says. */
const PINNED = {
  shard: 404,
  seed: '0x83bc41a15e7d9c60fe9d79dc7f7027ba5193362382a85715ab4796fd54bcd025',
  commitment: '0xa14e4b677ac2347c30a8ff0185256207bbd6fa26e16269376cb89d03335d1e4b',
};

/** Training data whose examples are their positions. */
const positions = (samples: number): TrainingData => ({
  ...{ inputShape: [1], classes: 2, samples, heldOutSamples: 1, mostFrequentClass: 0 },
  sample: () => {
    throw new Error('the whole is not drawn from');
  },
  examples: (at) => ({ inputs: Float32Array.from(at), labels: new Int32Array(at.length) }),
  heldOut: () => ({ inputs: new Float32Array(1), labels: new Int32Array(1) }),
});

describe('published data', () => {
  it('is said beside the task, of which the rest is as for data of one’s own', () => {
    const manifest = manifestWith({ format: 'csv', source: SOURCE });
    expect(publishesData(manifest)).toBe(true);
    expect(publishesData(manifestWith({ format: 'csv' }))).toBe(false);
    const { source, inner } = splitPublished(manifest);
    expect(source).toEqual(SOURCE);
    expect(inner.task.data).toEqual({ format: 'csv' });
    expect(() => splitPublished(manifestWith({ source: { ...SOURCE, shards: 0 } }))).toThrow(
      expect.objectContaining({ code: 'public-data/invalid', data: { field: 'task.data.source.shards' } }),
    );
  });

  it.each([
    '../secret',
    'a/../../secret',
    '/etc/passwd',
    'C:\\secret',
    'a\\b',
    '.hidden',
    'a//b',
    'a/',
    'a/b/c/d/e',
    '',
    'a\0b',
    'a\nb',
  ])('a file is not named %j', (name) => {
    const files = SOURCE.files.map((file) => ({ ...file, name }));
    expect(publishedSourceSchema.safeParse({ ...SOURCE, files }).success).toBe(false);
  });

  it('two files have not one name, whatever the case', () => {
    const files = ['Train.csv', 'train.csv'].map((name) => ({ ...SOURCE.files[0], name }));
    expect(publishedSourceSchema.safeParse({ ...SOURCE, files }).success).toBe(false);
  });

  it('every example is in one shard, and a batch holds examples of its shard alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20 }), (samples, shards) => {
        fc.pre(samples >= shards);
        const seen: number[] = [];
        for (let shard = 0; shard < shards; shard++) {
          const data = shardData(positions(samples), shard, shards);
          const all = data.examples(Array.from({ length: data.samples }, (_, position) => position));
          seen.push(...all.inputs);
          const own = new Set(all.inputs);
          for (const drawn of data.sample(createRng(shard), 16).inputs) expect(own.has(drawn)).toBe(true);
        }
        expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: samples }, (_, position) => position));
      }),
      { numRuns: 50 },
    );
    expect(() => shardData(positions(2), 2, 3)).toThrow(expect.objectContaining({ code: 'public-data/empty-shard' }));
  });

  it('a participant has one shard, known to all; of those who are listed none is left out', () => {
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 2, maxLength: 12 }), fc.nat(), (accounts, turn) => {
        const shards = accounts.length;
        const listed = manifestWith({}, accounts);
        const turned = manifestWith({}, [...accounts.slice(turn % shards), ...accounts.slice(0, turn % shards)]);
        const of = (manifest: Manifest) => accounts.map((account) => shardOf(manifest, JOB, account, shards));
        expect(of(listed).toSorted((a, b) => a - b)).toEqual(accounts.map((_, index) => index));
        expect(of(turned)).toEqual(of(listed));
        for (const shard of of(manifestWith({}))) expect(shard >= 0 && shard < shards).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('shard, seed and commitment are pinned', () => {
    const participant: Hex = `0x${'2'.repeat(40)}`;
    expect(shardOf(manifestWith({}), JOB, participant, 1000)).toBe(PINNED.shard);
    expect(toHex(publicSeed(JOB, participant))).toBe(PINNED.seed);
    expect(publishedCommitment(SOURCE, 3)).toBe(PINNED.commitment);
    expect(publishedCommitment(SOURCE, 2)).not.toBe(PINNED.commitment);
  });
});
