import type { Hex } from '../../shared/bytes.ts';

/**
 * Immutable blobs under the root that commits to them. The store keeps bytes; whoever puts them has verified that the
 * identifier is theirs, and whoever reads them verifies it again.
 */
export interface BlobStore {
  /** Stores a blob durably; storing it again changes nothing. */
  put(id: Hex, bytes: Uint8Array): Promise<void>;
  /** The blob's bytes, or undefined. */
  get(id: Hex): Promise<Uint8Array | undefined>;
  /** Drops a blob; one that is not there is no error. */
  remove(id: Hex): Promise<void>;
  /** Size in bytes, or undefined. */
  size(id: Hex): Promise<number | undefined>;
  /** Where a file server finds the blob: a path relative to {@link BlobStore.folder}. */
  relativePath(id: Hex): string;
  /** The folder of all blobs. */
  readonly folder: string;
}
