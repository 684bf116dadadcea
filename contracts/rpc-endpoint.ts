import { LedgerError } from './ledger/ledger-error.ts';
import { isPlausible, isRateLimited, type RpcAnswer, refusal } from './rpc-answer.ts';

/** One address that speaks JSON-RPC. */
export interface Endpoint {
  /** Its address for people: without password, path and query, which commonly carry a key. */
  readonly url: string;
  /**
   * Calls one method.
   *
   * @throws LedgerError `ledger/unreachable` (no answer in time, an HTTP error, too many requests: `data.reason` says
   *   which, `data.retryAfterMs` for how long to leave it alone, where it said so), `ledger/invalid-answer`,
   *   `ledger/refused`, `ledger/reverted`
   */
  ask(method: string, parameters: readonly unknown[]): Promise<unknown>;
}

/** How an endpoint is spoken to. */
export interface EndpointOptions {
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** Ends every call in progress. */
  readonly signal?: AbortSignal;
}

/**
 * A client of one address.
 *
 * @param url - `http://` or `https://`; a user and password in it are sent as basic authentication (RFC 7617)
 * @throws LedgerError `ledger/invalid-url`
 */
export function openEndpoint(url: string, { timeoutMs, signal }: EndpointOptions): Endpoint {
  const { target, shown, headers } = parseAddress(url);
  let id = 0;

  async function post(method: string, body: string): Promise<{ response: Response; text: string }> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers,
        body,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      const reason = timeout.aborted ? `no answer within ${timeoutMs} ms` : 'no connection';
      throw unreachable(method, reason, {}, cause);
    }
  }

  function unreachable(method: string, reason: string, data: object = {}, cause?: unknown): LedgerError {
    return new LedgerError(
      'ledger/unreachable',
      `the chain at ${shown} did not answer ${method} (${reason}): check that it runs and that --rpc names it`,
      { url: shown, method, reason, ...data },
      cause,
    );
  }

  function invalid(method: string, found: string): LedgerError {
    const sentence = `the chain at ${shown} answered ${method} with ${found}: check that --rpc names an Ethereum node`;
    return new LedgerError('ledger/invalid-answer', sentence, { url: shown, method });
  }

  return {
    url: shown,
    async ask(method, parameters) {
      id += 1;
      const { response, text } = await post(method, JSON.stringify({ jsonrpc: '2.0', id, method, params: parameters }));
      const answer = parseAnswer(text);
      if (response.status === 429 || (answer !== undefined && isRateLimited(answer))) {
        throw unreachable(method, 'too many requests', retryAfter(response));
      }
      // Some nodes send their errors with an HTTP status of their own.
      if (answer?.error) throw refusal(shown, method, answer.error);
      if (!response.ok) throw unreachable(method, `HTTP ${response.status}`, retryAfter(response));
      if (answer === undefined || answer.result === undefined) throw invalid(method, 'something that is not JSON-RPC');
      if (!isPlausible(method, answer.result)) throw invalid(method, 'a result of the wrong kind');
      return answer.result;
    },
  };
}

function parseAddress(url: string): { target: string; shown: string; headers: Record<string, string> } {
  let address: URL;
  try {
    address = new URL(url);
    if (!/^https?:$/.test(address.protocol)) throw new TypeError('not HTTP');
  } catch (cause) {
    // The address is not repeated: it may carry a key.
    const sentence = 'the address of a chain must begin with http:// or https://: check --rpc';
    throw new LedgerError('ledger/invalid-url', sentence, {}, cause);
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (address.username !== '' || address.password !== '') {
    const pair = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    address.username = '';
    address.password = '';
  }
  const hidden = address.pathname === '/' && address.search === '' ? '' : '/...';
  return { target: address.href, shown: address.origin + hidden, headers };
}

function parseAnswer(text: string): RpcAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as RpcAnswer) : undefined;
  } catch {
    return undefined;
  }
}

// RFC 9110, section 10.2.3: seconds, or a date, which is left to the caller's own patience.
function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: Math.min(seconds, 3600) * 1000 } : {};
}
