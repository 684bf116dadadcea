import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'smol-toml';
import type { Hex } from '../../shared/bytes.ts';
import { createFileBlobStore } from '../blobs/file-blob-store.ts';

/** What a manifest's `task.data.source` says of published data. */
export interface PublishedFiles {
  /** Always `published`. */
  readonly kind: 'published';
  /** The files. */
  readonly files: readonly { readonly name: string; readonly sha256: Hex; readonly bytes: number }[];
  /** Into how many parts the training examples are divided. */
  readonly shards: number;
  /** Whether everyone trains on WASM from known seeds, so that training can be repeated. */
  readonly exact: boolean;
}

/** What `task.data.source` must say so that these files are published. */
export async function describeFiles(
  files: readonly string[],
  { shards, exact }: Pick<PublishedFiles, 'shards' | 'exact'>,
): Promise<PublishedFiles> {
  const described = await Promise.all(
    files.map(async (file) => ({
      name: basename(file),
      sha256: hashOf(await readFile(file)),
      bytes: (await stat(file)).size,
    })),
  );
  return { kind: 'published', files: described, shards, exact };
}

/** The same as lines of a job's file. */
export function sourceText(source: PublishedFiles): string {
  return stringify({ task: { data: { source } } }).trim();
}

/**
 * Puts files among a job's blobs, under their SHA-256, from where its coordinator serves them to whoever may read the job.
 *
 * @param jobFolder - the job's folder
 * @returns what they are served as
 */
export async function serveFiles(jobFolder: string, files: readonly string[]): Promise<readonly Hex[]> {
  const blobs = await createFileBlobStore(join(jobFolder, 'blobs'));
  const ids: Hex[] = [];
  for (const file of files) {
    const bytes = await readFile(file);
    const id = hashOf(bytes);
    await blobs.put(id, bytes);
    ids.push(id);
  }
  return ids;
}

function hashOf(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}
