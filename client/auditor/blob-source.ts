import type { Hex } from '../../shared/bytes.ts';

/** Where an audit reads the data behind the roots. Nothing it answers is trusted: every blob is hashed by who asked. */
export interface BlobSource {
  /**
   * The bytes stored under an id.
   *
   * @param id - 32 bytes
   * @param mostBytes - longer ones are refused before they fill the memory
   * @throws AuditError `audit/blob-missing`, `audit/blob-too-large`, `audit/blobs-refused`, `audit/blobs-unreachable`
   */
  get(id: Hex, mostBytes: number): Promise<Uint8Array>;
}
