import { concatBytes, type Hex } from '../../shared/bytes.ts';
import { blobPath } from '../../shared/protocol/routes.ts';
import { openDeadline } from '../transports/idle-deadline.ts';
import { AuditError } from './audit-error.ts';
import type { BlobSource } from './blob-source.ts';
import { missing, tooLarge } from './folder-blob-source.ts';

/** How to reach a coordinator's bulk plane, or any server that keeps its blobs. */
export interface HttpBlobSourceOptions {
  /** Address without a trailing slash; blobs are at `<url>/jobs/<job>/blobs/<id>`. */
  readonly url: string;
  /** The job that the blobs belong to. */
  readonly job: Hex;
  /** Token for a job that does not disclose its updates to everyone. */
  readonly token?: string;
  /** Longest silence of the server within one request, in milliseconds; default 30 seconds. */
  readonly idleTimeoutMs?: number;
  /** Ends every request in progress. */
  readonly signal?: AbortSignal;
}

/** Reads blobs over HTTP. */
export function createHttpBlobSource(options: HttpBlobSourceOptions): BlobSource {
  const { url, job, token, idleTimeoutMs = 30_000, signal } = options;
  return {
    get: async (id, mostBytes) => {
      const deadline = openDeadline(idleTimeoutMs, signal);
      try {
        const response = await fetch(`${url}${blobPath(job, id)}`, {
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
          // A token must not follow a redirect to some other server.
          redirect: 'error',
          signal: deadline.signal,
        });
        deadline.extend();
        if (!response.ok) {
          await response.body?.cancel();
          throw refusal(response.status, id, url);
        }
        const received: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of response.body ?? []) {
          deadline.extend();
          length += (chunk as Uint8Array).length;
          if (length > mostBytes) throw tooLarge(id, mostBytes);
          received.push(chunk as Uint8Array);
        }
        return concatBytes(...received);
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof AuditError) throw cause;
        const why = deadline.isPassed() ? `was silent for ${idleTimeoutMs} ms` : `did not answer (${reasonOf(cause)})`;
        throw new AuditError(
          'audit/blobs-unreachable',
          `${url} ${why} when asked for blob ${id}: check --blobs and that the server runs`,
          { id, url },
          cause,
        );
      } finally {
        deadline.close();
      }
    },
  };
}

function refusal(status: number, id: Hex, url: string): AuditError {
  if (status === 404) return missing(id, url);
  if (status === 401 || status === 403) {
    return new AuditError(
      'audit/blobs-refused',
      `${url} refused blob ${id} (HTTP ${status}): give the token of a session that may read it with --token-file`,
      { id, url, status },
    );
  }
  return new AuditError('audit/blobs-unreachable', `${url} answered HTTP ${status} for blob ${id}: try again later`, {
    id,
    url,
    status,
  });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
