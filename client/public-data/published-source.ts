import { z } from 'zod';
import { fromHex, type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { PublicDataError } from './public-data-error.ts';

/** A plain name, or a few of them with folders between: nothing that leads out of a folder. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}(\/[A-Za-z0-9][A-Za-z0-9._ -]{0,99}){0,3}$/;

const fileSchema = z.strictObject({
  /** Under which name it lies in the data folder. */
  name: z.string().regex(NAME, 'expected a plain file name, such as train.csv or cats/1.png'),
  sha256: z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 32 bytes as 0x and 64 lower-case hexadecimal digits'),
  bytes: z
    .number()
    .int()
    .positive()
    .max(2 ** 40),
  /** Where it can be had besides the coordinator. */
  urls: z
    .array(z.url({ protocol: /^https?$/ }).max(1000))
    .max(8)
    .exactOptional(),
});

/** What a manifest says of data that it publishes, as `task.data.source`. */
export const publishedSourceSchema = z
  .strictObject({
    kind: z.literal('published'),
    files: z.array(fileSchema).min(1).max(100_000),
    /** Into how many parts the training examples are divided. */
    shards: z.number().int().min(1).max(1_000_000),
    /**
     * Whether everyone trains on WASM, from seeds that everyone knows, so that anyone can repeat a participant's training
     * bit for bit.
     */
    exact: z.boolean(),
  })
  .superRefine(({ files }, context) => {
    const names = files.map(({ name }) => name.toLowerCase());
    if (new Set(names).size === names.length) return;
    context.addIssue({ code: 'custom', path: ['files'], message: 'two files have one name: names must differ' });
  });

/** Data that a job publishes. */
export type PublishedSource = z.infer<typeof publishedSourceSchema>;

/** Whether a job publishes its data. */
export function publishesData({ task }: Pick<Manifest, 'task'>): boolean {
  const { data } = task;
  return typeof data === 'object' && data !== null && !Array.isArray(data) && Object.hasOwn(data, 'source');
}

/**
 * Takes what a manifest says of its published data apart from what it says of the task.
 *
 * @returns the source, and the manifest as one whose participants bring their own data would be
 * @throws PublicDataError `public-data/invalid`
 */
export function splitPublished(manifest: Manifest): { readonly source: PublishedSource; readonly inner: Manifest } {
  const { source: said, ...data } = (publishesData(manifest) ? manifest.task.data : {}) as Record<string, unknown>;
  const parsed = publishedSourceSchema.safeParse(said);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = ['task', 'data', 'source', ...(issue?.path.map(String) ?? [])].join('.');
    const message = `manifest field "${field}": ${issue?.message ?? 'is not valid'}`;
    throw new PublicDataError('public-data/invalid', message, { field });
  }
  const inner = { ...manifest, task: { ...manifest.task, data } } as Manifest;
  return { source: parsed.data, inner };
}

/** Bytes of all files together. */
export function publishedBytes({ files }: PublishedSource): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Which shard a participant trains on: where participants are listed, the position in the sorted list modulo the shards, so
 * that none is left out; else SHA-256 of job and account modulo the shards.
 *
 * @param job - hash of the manifest
 * @param participant - its account, lower case
 */
export function shardOf({ participation }: Manifest, job: Hex, participant: Hex, shards: number): number {
  const { admission } = participation;
  const place = admission === 'open' ? -1 : admission.toSorted().indexOf(participant);
  if (place >= 0) return place % shards;
  const digest = sha256Digest(concatWords('fedanchor/shard/1', job, participant));
  return Number(BigInt(toHex(digest)) % BigInt(shards));
}

/** The client's seed of a job with published data: known to all, so that all can repeat what follows from it. */
export function publicSeed(job: Hex, participant: Hex): Uint8Array {
  return sha256Digest(concatWords('fedanchor/public-seed/1', job, participant));
}

/** What a participant commits to as its data set: the published files, and which part of them. Anyone can compute it. */
export function publishedCommitment({ files, shards }: PublishedSource, shard: number): Hex {
  const document = { files: files.map(({ name, sha256, bytes }) => ({ name, sha256, bytes })), shards, shard };
  return toHex(sha256Digest(utf8(canonicalJson(document as Json))));
}

function concatWords(label: string, job: Hex, participant: Hex): Uint8Array {
  return Uint8Array.from([...utf8(label), ...fromHex(job, 32), ...fromHex(participant, 20)]);
}
