import { z } from 'zod';
import { concatBytes, type Hex } from '../../shared/bytes.ts';
import { blobPath, partPath } from '../../shared/protocol/routes.ts';
import type { BulkTransport } from './bulk-transport.ts';
import { openDeadline } from './idle-deadline.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { ProtocolError, TransportError } from './transport-error.ts';

/** How to reach the bulk plane. */
export interface HttpBulkOptions {
  /** The coordinator's address, without a trailing slash. */
  readonly url: string;
  /** The session's token. */
  readonly token: () => string;
  /** Gets a fresh token after the coordinator has answered 401; concurrent calls may share one renewal. */
  readonly renewToken: () => Promise<void>;
  /** Longest silence of the coordinator within one request; default 30 seconds. */
  readonly idleTimeoutMs?: number;
  /**
   * Bytes in a second below which a download is given up, once it has taken longer than `idleTimeoutMs`: a byte now and
   * then is a sign of life, and never comes to an end. Default 4 KiB.
   */
  readonly leastBytesPerSecond?: number;
  /** Tries and pauses for what may pass; default 6 tries, 250 ms doubled up to 5 seconds. */
  readonly retry?: RetryOptions;
}

const DEFAULT_RETRY: RetryOptions = { tries: 6, firstDelayMs: 250, mostDelayMs: 5_000 };

const LEAST_BYTES_PER_SECOND = 4096;

/** Longest refusal that is read: a code and a sentence. */
const MOST_REFUSAL_BYTES = 16 * 2 ** 10;

const refusalSchema = z.object({ code: z.string().min(1).max(100), message: z.string().max(1000) });

/**
 * The bulk plane over HTTP by the platform's own `fetch`. A download that breaks off goes on where it was. Nothing is taken
 * from elsewhere than the coordinator's address, and nothing compressed, whose size is known only when it is too late.
 */
export function createHttpBulk(options: HttpBulkOptions): BulkTransport {
  const { url, token, renewToken, idleTimeoutMs = 30_000, retry = DEFAULT_RETRY } = options;
  const { leastBytesPerSecond = LEAST_BYTES_PER_SECOND } = options;

  /** One request, its answer handled while the time-out watches; a fresh token is got at most once. */
  const exchange = async <T>(
    path: string,
    init: RequestInit,
    handle: (response: Response, alive: () => void) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    for (let isRenewed = false; ; isRenewed = true) {
      const deadline = openDeadline(idleTimeoutMs, signal);
      try {
        const headers = { ...init.headers, 'accept-encoding': 'identity', authorization: `Bearer ${token()}` };
        const response = await fetch(`${url}${path}`, {
          ...{ ...init, headers, redirect: 'manual', signal: deadline.signal },
        });
        deadline.extend();
        await holdToPlain(response, path);
        if (response.status !== 401 || isRenewed) return await handle(response, deadline.extend);
        await response.body?.cancel();
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof TransportError || cause instanceof ProtocolError) throw cause;
        if (deadline.isPassed()) {
          throw new TransportError(
            'transport/timeout',
            `${url} was silent for ${idleTimeoutMs} ms during ${init.method} ${path}: it may be overloaded`,
            { path, idleTimeoutMs },
            cause,
          );
        }
        throw new TransportError(
          'transport/unreachable',
          `${init.method} ${path} of ${url} failed (${reasonOf(cause)}): check that the coordinator runs there`,
          { path, url },
          cause,
        );
      } finally {
        deadline.close();
      }
      await renewToken();
    }
  };
  const isPassing = (error: unknown): boolean =>
    error instanceof TransportError && (error.code === 'transport/unreachable' || error.code === 'transport/timeout');

  return {
    getBlob: (job, root, mostBytes, signal) => {
      const received: Uint8Array[] = [];
      let length = 0;
      const begun = performance.now();
      const take = async (response: Response, alive: () => void): Promise<Uint8Array> => {
        if (response.status === 416 && length > 0) return concatBytes(...received);
        await refuse(response);
        if (response.status !== 206) {
          received.length = 0;
          length = 0;
        }
        for await (const chunk of response.body ?? []) {
          alive();
          received.push(chunk as Uint8Array);
          length += (chunk as Uint8Array).length;
          if (length > mostBytes) throw tooLarge(root, mostBytes);
          const tookMs = performance.now() - begun;
          if (tookMs > idleTimeoutMs && length < (leastBytesPerSecond * tookMs) / 1000)
            throw tooSlow(root, length, tookMs);
        }
        return concatBytes(...received);
      };
      const once = () => {
        const headers: Record<string, string> = length > 0 ? { range: `bytes=${length}-` } : {};
        return exchange(blobPath(job, root), { method: 'GET', headers }, take, signal);
      };
      return retrying(once, isPassing, retry, signal);
    },
    putPart: (job, updateRoot, part, bytes, signal) => {
      const headers = { 'content-type': 'application/octet-stream' };
      // The bytes of an update are never backed by shared memory.
      const body = bytes as Uint8Array<ArrayBuffer>;
      const take = async (response: Response): Promise<void> => {
        await refuse(response);
        // What is left unread would keep the connection from being used again.
        await response.body?.cancel();
      };
      const once = () => exchange(partPath(job, updateRoot, part), { method: 'PUT', headers, body }, take, signal);
      return retrying(once, isPassing, retry, signal);
    },
    headPart: (job, updateRoot, part, signal) => {
      const take = async (response: Response): Promise<boolean> => {
        if (response.status === 404) return false;
        await refuse(response);
        return true;
      };
      return retrying(
        () => exchange(partPath(job, updateRoot, part), { method: 'HEAD' }, take, signal),
        isPassing,
        retry,
        signal,
      );
    },
  };
}

/** Throws unless the answer is a success: what may pass as unreachable, all else with the coordinator's code. */
async function refuse(response: Response): Promise<void> {
  if (response.ok) return;
  const { status } = response;
  const body = await shortText(response);
  if (status >= 500 || status === 408 || status === 429) {
    throw new TransportError('transport/unreachable', `the coordinator answered ${status}: it is tried again`, {
      status,
    });
  }
  const refusal = refusalSchema.safeParse(jsonOf(body));
  const code = refusal.success ? refusal.data.code : `http/${status}`;
  const message = refusal.success ? refusal.data.message : `the coordinator answered ${status}`;
  throw new ProtocolError(code, message, { status });
}

/** Throws for an answer that sends the client elsewhere, or that is not the bytes themselves. */
async function holdToPlain(response: Response, path: string): Promise<void> {
  const { status, headers } = response;
  const encoding = headers.get('content-encoding') ?? 'identity';
  const isElsewhere = status >= 300 && status < 400 && status !== 304;
  if (!isElsewhere && encoding === 'identity') return;
  await response.body?.cancel();
  if (!isElsewhere) {
    const message = `the coordinator sent ${path} as ${encoding}, which was not asked for: have no proxy compress it`;
    throw new TransportError('transport/encoded', message, { path, encoding });
  }
  throw new TransportError(
    'transport/redirected',
    `the coordinator answered ${path} with ${status}, to look elsewhere: nothing is fetched from there; name the right address`,
    { path, status },
  );
}

/** The beginning of an answer's text. */
async function shortText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    // Leaving the loop ends the transfer.
    if (length > MOST_REFUSAL_BYTES) break;
  }
  return new TextDecoder().decode(concatBytes(...chunks).subarray(0, MOST_REFUSAL_BYTES));
}

function tooSlow(root: Hex, length: number, tookMs: number): TransportError {
  return new TransportError(
    'transport/too-slow',
    `blob ${root} came to ${length} bytes in ${Math.round(tookMs / 1000)} s: it would never end; check the way to the coordinator`,
    { root, length },
  );
}

function tooLarge(root: Hex, mostBytes: number): TransportError {
  return new TransportError(
    'transport/too-large',
    `blob ${root} is longer than the ${mostBytes} bytes that it can have: the coordinator sends something else`,
    { root, mostBytes },
  );
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
