import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { openDeadline } from '../transports/idle-deadline.ts';
import { isNearbyHost } from '../transports/nearby-host.ts';
import { PublicDataError } from './public-data-error.ts';
import { type PublishedSource, publishedBytes } from './published-source.ts';

/** Where published files may be had. */
export interface PublishedPlaces {
  /** Where files are kept, by their hashes, and put together to a data folder. */
  readonly cache: string;
  /** Folders that may hold them already, by their names. */
  readonly folders: readonly string[];
  /** Asks the job's coordinator for a file by its hash; throws where it has none. */
  readonly fromCoordinator?: ((sha256: Hex, bytes: number) => Promise<Uint8Array>) | undefined;
  /** Whether `http:` and this machine's network may be asked. */
  readonly allowPlaintext: boolean;
  /** The most bytes that one job's files may have together; default 16 GiB. */
  readonly mostBytes?: number;
  /** Longest silence of a server, in milliseconds; default 30 seconds. */
  readonly idleTimeoutMs?: number;
  /** Ends every transfer. */
  readonly signal?: AbortSignal | undefined;
}

const MOST_BYTES = 16 * 2 ** 30;

type PublishedFile = PublishedSource['files'][number];

/**
 * Brings a job's published files together in a folder: from the cache, a folder that has them, the job's coordinator, or the
 * addresses that the manifest names, in this order. Each is held to its size while it comes and to its SHA-256 before it is
 * used, wherever it is from.
 *
 * @param name - of the folder, the same for the same files
 * @returns the folder
 * @throws PublicDataError `public-data/too-large`; `public-data/unavailable`, naming each place and why it did not do
 */
export async function fetchPublished(source: PublishedSource, name: string, places: PublishedPlaces): Promise<string> {
  const [all, most] = [publishedBytes(source), places.mostBytes ?? MOST_BYTES];
  if (all > most) {
    const message = `the job publishes ${all} bytes of data, this client fetches at most ${most} for one job: leave the job`;
    throw new PublicDataError('public-data/too-large', message, { bytes: all, most });
  }
  const folder = join(places.cache, 'sets', name);
  for (const file of source.files) {
    const kept = join(places.cache, 'files', file.sha256.slice(2));
    if (!(await isFile(kept, file))) await obtain(file, kept, places);
    const target = join(folder, ...file.name.split('/'));
    if (await isFile(target, file)) continue;
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    // One copy on the disk, where the file system can.
    await link(kept, target).catch(() => copyFile(kept, target));
  }
  return folder;
}

async function obtain(file: PublishedFile, kept: string, places: PublishedPlaces): Promise<void> {
  const { folders, fromCoordinator, allowPlaintext, signal } = places;
  const failures: string[] = [];
  const attempt = async (where: string, work: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>) => {
    try {
      await keep(file, kept, await work());
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${where}: ${(error as Error).message}`);
      return false;
    }
  };
  for (const folder of folders) {
    const path = join(folder, ...file.name.split('/'));
    if ((await stat(path).catch(() => undefined)) === undefined) continue;
    if (await attempt(path, () => createReadStream(path))) return;
  }
  if (fromCoordinator !== undefined) {
    const { sha256, bytes } = file;
    if (await attempt('the coordinator', async () => once(await fromCoordinator(sha256 as Hex, bytes)))) return;
  }
  for (const url of file.urls ?? []) {
    const { protocol, hostname } = new URL(url);
    if (!allowPlaintext && (protocol !== 'https:' || isNearbyHost(hostname))) {
      failures.push(`${url}: it is not an https address beyond this machine's network`);
    } else if (await attempt(url, () => download(url, file, places))) {
      return;
    }
  }
  const { name, sha256 } = file;
  const message = `the published file ${name} (${sha256}) could not be had: ${failures.join('; ') || 'nobody offers it'}; bring a folder that holds it by --data`;
  throw new PublicDataError('public-data/unavailable', message, { name, sha256 });
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function* download(
  url: string,
  { bytes }: PublishedFile,
  { idleTimeoutMs = 30_000, signal }: PublishedPlaces,
): AsyncIterable<Uint8Array> {
  const deadline = openDeadline(idleTimeoutMs, signal);
  try {
    // A redirect may lead anywhere: the address in the manifest must be the file's own. Sizes count what is sent.
    const headers = { 'accept-encoding': 'identity' };
    const response = await fetch(url, { redirect: 'error', headers, signal: deadline.signal });
    if (!response.ok) throw unavailable(url, `it answered HTTP ${response.status}`);
    if (Number(response.headers.get('content-length') ?? bytes) > bytes) throw unavailable(url, 'it is too long');
    for await (const chunk of response.body ?? []) {
      deadline.extend();
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (error instanceof FedanchorError) throw error;
    throw unavailable(url, deadline.isPassed() ? `silent for ${idleTimeoutMs} ms` : `no answer (${reasonOf(error)})`);
  } finally {
    deadline.close();
  }
}

/** Writes what comes beside its place, and moves it there when it is what was published. */
async function keep(file: PublishedFile, kept: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  await mkdir(dirname(kept), { recursive: true });
  const temporary = `${kept}.${process.pid}.part`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of content) {
      length += chunk.length;
      if (length > file.bytes) throw wrong(file, `it has more than ${file.bytes} bytes`);
      hash.update(chunk);
      await handle.write(chunk);
    }
    if (length !== file.bytes) throw wrong(file, `it has ${length} bytes, not ${file.bytes}`);
    const found = `0x${hash.digest('hex')}`;
    if (found !== file.sha256) throw wrong(file, `its SHA-256 is ${found}`);
    await handle.sync();
    await handle.close();
    await rename(temporary, kept);
  } finally {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
  }
}

/** Whether the right file is there: read in full, for a disk may have damaged it. */
async function isFile(path: string, { bytes, sha256 }: PublishedFile): Promise<boolean> {
  if ((await stat(path).catch(() => undefined))?.size !== bytes) return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return `0x${hash.digest('hex')}` === sha256;
}

function wrong({ name, sha256 }: PublishedFile, why: string): PublicDataError {
  return new PublicDataError('public-data/wrong-bytes', `it is not ${name} as published: ${why}`, { name, sha256 });
}

function unavailable(url: string, why: string): PublicDataError {
  return new PublicDataError('public-data/unavailable', why, { url });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
