import type { Hex } from '../../shared/bytes.ts';

/** The bulk plane as a client sees it: content-addressed downloads, uploads in parts. */
export interface BulkTransport {
  /**
   * Downloads a blob. Nothing is verified here: the caller knows which kind of root it asked for.
   *
   * @param job - the job that the blob belongs to
   * @param root - the blob's address
   * @param mostBytes - a longer answer is refused
   * @throws ProtocolError with the coordinator's code; TransportError `transport/unreachable`, `transport/timeout`,
   *   `transport/too-large`, `transport/too-slow`, `transport/redirected`, `transport/encoded`
   */
  getBlob(job: Hex, root: Hex, mostBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Uploads one part of an offered update. Idempotent.
   *
   * @param part - its position, from 0
   * @throws ProtocolError; TransportError `transport/unreachable`, `transport/timeout`
   */
  putPart(job: Hex, updateRoot: Hex, part: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Whether a part of an offered update is there.
   *
   * @throws ProtocolError; TransportError `transport/unreachable`, `transport/timeout`
   */
  headPart(job: Hex, updateRoot: Hex, part: number, signal?: AbortSignal): Promise<boolean>;
}
