import type { Hex } from '../../shared/bytes.ts';
import type { BlobSource } from './blob-source.ts';

/** A source from which blobs can be on their way before they are needed. */
export interface AheadSource extends BlobSource {
  /**
   * Begins to fetch a blob. Who gets it later waits for this; a failure is theirs alone.
   *
   * @param id - 32 bytes
   * @param mostBytes - as for `get`
   */
  begin(id: Hex, mostBytes: number): void;
}

/** A source in front of another one; each blob that was begun is handed out once. */
export function fetchAhead(blobs: BlobSource): AheadSource {
  const coming = new Map<Hex, Promise<Uint8Array>>();
  return {
    begin: (id, mostBytes) => {
      if (coming.has(id)) return;
      const fetched = blobs.get(id, mostBytes);
      fetched.catch(() => undefined);
      coming.set(id, fetched);
    },
    get: (id, mostBytes) => {
      const begun = coming.get(id);
      coming.delete(id);
      return begun ?? blobs.get(id, mostBytes);
    },
  };
}
