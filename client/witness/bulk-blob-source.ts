import type { Hex } from '../../shared/bytes.ts';
import { AuditError } from '../auditor/audit-error.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { missing, tooLarge } from '../auditor/folder-blob-source.ts';
import type { BulkTransport } from '../transports/bulk-transport.ts';
import { ProtocolError, TransportError } from '../transports/transport-error.ts';

/**
 * Reads blobs over a participant's own bulk plane, with its session's token.
 *
 * @param url - the coordinator's address, for messages
 * @param job - the job that the blobs belong to
 */
export function createBulkBlobSource(
  bulk: Pick<BulkTransport, 'getBlob'>,
  url: string,
  job: Hex,
  signal?: AbortSignal,
): BlobSource {
  return {
    get: async (id, mostBytes) => {
      try {
        return await bulk.getBlob(job, id, mostBytes, signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw translated(error, id, mostBytes, url);
      }
    },
  };
}

function translated(error: unknown, id: Hex, mostBytes: number, url: string): unknown {
  if (error instanceof TransportError) {
    if (error.code === 'transport/too-large') return tooLarge(id, mostBytes);
    return new AuditError('audit/blobs-unreachable', error.message, { id, url }, error);
  }
  if (!(error instanceof ProtocolError)) return error;
  const status = error.data?.['status'];
  if (status === 404) return missing(id, url);
  return new AuditError('audit/blobs-refused', `${url} refused blob ${id}: ${error.message}`, { id, url }, error);
}
