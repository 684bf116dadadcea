import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { DataError } from './data-error.ts';
import type { KnownDataset, KnownFile } from './known-datasets.ts';

/** What a download is made of. */
export interface DownloadOptions {
  /** What to fetch. */
  readonly dataset: KnownDataset;
  /** Folder for its files; created if missing. */
  readonly out: string;
  /** Fetches an address; default `fetch`. */
  readonly get?: typeof fetch;
  /** Told of each file that is there. */
  readonly onFile?: (file: KnownFile, was: 'fetched' | 'there') => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/**
 * Fetches a data set's files, unpacks them and keeps those whose bytes are the ones that are known: never anything else,
 * whoever serves it. Files that are there already are checked and left.
 *
 * @throws DataError `data/offline` where no mirror can be reached, `data/wrong-hash`, `data/download-failed`
 */
export async function downloadDataset(options: DownloadOptions): Promise<void> {
  await mkdir(options.out, { recursive: true });
  for (const file of options.dataset.files) {
    const isThere = (await hashOf(join(options.out, file.name))) === file.sha256;
    if (!isThere) await fetchFile(file, options);
    options.onFile?.(file, isThere ? 'there' : 'fetched');
  }
}

async function fetchFile(file: KnownFile, options: DownloadOptions): Promise<void> {
  let failure: DataError | undefined;
  for (const mirror of options.dataset.mirrors) {
    try {
      return await fetchFrom(`${mirror}/${file.name}.gz`, file, options);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      // A mirror that cannot be reached says less than one that served something wrong.
      if (!failure || error.code !== 'data/offline') failure = error;
    }
  }
  throw failure ?? new DataError('data/download-failed', `nobody serves ${file.name}`, { file: file.name });
}

async function fetchFrom(address: string, file: KnownFile, { out, get = fetch, signal }: DownloadOptions) {
  const response = await get(address, { ...(signal && { signal }) }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new DataError(
      'data/offline',
      `${address} cannot be reached (${(cause as Error).message}): this machine seems to be offline; fetch the files elsewhere and give their folder with --data`,
      { address },
      cause,
    );
  });
  if (!response.ok || !response.body) {
    throw new DataError('data/download-failed', `${address} answers with ${response.status}: try again later`, {
      address,
      status: response.status,
    });
  }
  const target = join(out, file.name);
  const temporary = `${target}.part`;
  const hash = createHash('sha256');
  const sink = await open(temporary, 'w');
  let bytes = 0;
  try {
    await pipeline(Readable.fromWeb(response.body as never), createGunzip(), async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        bytes += piece.length;
        // Whatever a mirror serves, no more is unpacked than there is to be.
        if (bytes > file.bytes) break;
        hash.update(piece);
        await sink.write(piece);
      }
    });
    if (bytes > file.bytes || hash.digest('hex') !== file.sha256) throw wrongHash(address, file);
    await sink.sync();
    await rename(temporary, target);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    if (bytes > file.bytes) throw wrongHash(address, file);
    signal?.throwIfAborted();
    throw new DataError(
      'data/download-failed',
      `${address} was not received whole (${(cause as Error).message}): try again`,
      { address },
      cause,
    );
  } finally {
    await sink.close();
    await rm(temporary, { force: true });
  }
}

function wrongHash(address: string, file: KnownFile): DataError {
  return new DataError(
    'data/wrong-hash',
    `${address} is not the ${file.name} that is known: its bytes, unpacked, have another SHA-256 than ${file.sha256}; nothing of it was kept`,
    { address, sha256: file.sha256 },
  );
}

async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
