import type { Hex } from '../shared/bytes.ts';
import { LedgerError } from './ledger/ledger-error.ts';
import { openEndpoint } from './rpc-endpoint.ts';
import { createFailover } from './rpc-failover.ts';
import type { EndpointHealth } from './rpc-health.ts';
import type { RpcNotice } from './rpc-notice.ts';

/** An Ethereum node, by JSON-RPC over HTTP; or several of them, of which one at a time is used. */
export interface Rpc {
  /** Where the node in use is, for people: without password, path and query, which commonly carry a key. */
  readonly url: string;
  /**
   * Calls one method and returns its result as it came.
   *
   * @throws LedgerError `ledger/unreachable`, `ledger/invalid-answer`, `ledger/refused`, `ledger/reverted`; with several
   *   addresses `ledger/wrong-chain` too
   */
  call(method: string, parameters: readonly unknown[]): Promise<unknown>;
  /** Asks each of several endpoints for its chain and its latest block; there is none where one address was given. */
  readonly check?: () => Promise<readonly EndpointHealth[]>;
}

/** How to reach a chain: by `url`, or by `urls` in the order of preference. */
export interface RpcOptions {
  /** `http://` or `https://` address of the node. */
  readonly url?: string;
  /** Several of them, the preferred one first; the next one is used while those before it are in trouble. */
  readonly urls?: readonly string[];
  /** The chain (EIP-155) that each of `urls` must serve; left out, that of the first one which answers. */
  readonly chainId?: bigint;
  /** Longest wait for one answer; default 30 s. */
  readonly timeoutMs?: number;
  /** Blocks that one of `urls` may be behind another before it is left; default 5. */
  readonly maxLagBlocks?: number;
  /** Pause before one of `urls` that failed is tried again, doubled each time; default 1 s. */
  readonly firstRetryMs?: number;
  /** Longest such pause, and how often healthy endpoints are compared; default 30 s. */
  readonly maxRetryMs?: number;
  /** A clock that does not run backwards; default the process's. */
  readonly nowMs?: () => number;
  /** Told when an endpoint fails, lags, is refused or returns, and when another one takes over. */
  readonly onNotice?: (notice: RpcNotice) => void;
  /** Ends every call in progress. */
  readonly signal?: AbortSignal;
}

/**
 * A client of a chain. It polls nothing: what it is asked is what it asks. With several addresses it also looks, while it
 * is used, whether those that failed have come back.
 *
 * Written on `fetch` rather than on ethers' provider, whose background network detection and event polling retry for
 * ever and can lose events (ethers issues 972 and 4119).
 *
 * @throws LedgerError `ledger/invalid-url`
 */
export function connectRpc(options: RpcOptions): Rpc {
  const { url, urls = url === undefined ? [] : [url], timeoutMs = 30_000, signal } = options;
  const endpoints = urls.map((each) =>
    openEndpoint(each, signal === undefined ? { timeoutMs } : { timeoutMs, signal }),
  );
  const [only] = endpoints;
  if (only === undefined) {
    throw new LedgerError('ledger/invalid-url', 'no address of a chain was given: name one with --rpc');
  }
  if (endpoints.length === 1) return { url: only.url, call: only.ask };
  const pool = createFailover(endpoints, {
    ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
    maxLagBlocks: options.maxLagBlocks ?? 5,
    firstRetryMs: options.firstRetryMs ?? 1000,
    maxRetryMs: options.maxRetryMs ?? 30_000,
    nowMs: options.nowMs ?? (() => performance.now()),
    onNotice: options.onNotice ?? (() => undefined),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    get url() {
      return pool.url;
    },
    call: pool.ask,
    check: pool.check,
  };
}

/** Reads a JSON-RPC quantity as a safe integer. */
export function quantity(value: unknown): number {
  return Number(BigInt(value as string));
}

/** Writes a JSON-RPC quantity. */
export function toQuantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`;
}
