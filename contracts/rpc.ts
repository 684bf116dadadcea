import type { Hex } from '../shared/bytes.ts';
import { LedgerError } from './ledger/ledger-error.ts';
import { decodeRevert, describeRevert } from './ledger/revert.ts';

/** An Ethereum node, by JSON-RPC over HTTP. */
export interface Rpc {
  /** Where the node is. */
  readonly url: string;
  /**
   * Calls one method and returns its result as it came.
   *
   * @throws LedgerError `ledger/unreachable`, `ledger/refused`, `ledger/reverted`
   */
  call(method: string, parameters: readonly unknown[]): Promise<unknown>;
}

/** How to reach a node. */
export interface RpcOptions {
  /** `http://` or `https://` address of the node. */
  readonly url: string;
  /** Longest wait for one answer; default 30 s. */
  readonly timeoutMs?: number;
  /** Ends every call in progress. */
  readonly signal?: AbortSignal;
}

/**
 * A client of one node. It keeps no state and polls nothing: what it is asked is what it asks.
 *
 * Written on `fetch` rather than on ethers' provider, whose background network detection and event polling retry for
 * ever and can lose events (ethers issues 972 and 4119).
 */
export function connectRpc({ url, timeoutMs = 30_000, signal }: RpcOptions): Rpc {
  let id = 0;
  return {
    url,
    async call(method, parameters) {
      id += 1;
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: parameters });
      const timeout = AbortSignal.timeout(timeoutMs);
      let answer: { result?: unknown; error?: RpcFailure };
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        });
        answer = (await response.json()) as typeof answer;
      } catch (cause) {
        throw new LedgerError(
          'ledger/unreachable',
          `the chain at ${url} did not answer ${method}: check that it runs and that --rpc names it`,
          { url, method },
          cause,
        );
      }
      if (answer.error !== undefined && answer.error !== null) throw refusal(url, method, answer.error);
      return answer.result;
    },
  };
}

interface RpcFailure {
  readonly code?: number;
  readonly message?: string;
  readonly data?: unknown;
}

function refusal(url: string, method: string, failure: RpcFailure): LedgerError {
  const message = failure.message ?? 'no reason given';
  const data = revertData(failure.data);
  if (data !== undefined || /revert/i.test(message)) {
    const revert = decodeRevert(data ?? '0x');
    return new LedgerError(
      'ledger/reverted',
      `the contract refused ${method} with ${describeRevert(revert)}`,
      { url, method, ...revert, rpcMessage: message },
      failure,
    );
  }
  return new LedgerError('ledger/refused', `the chain at ${url} refused ${method}: ${message}`, {
    url,
    method,
    rpcCode: failure.code,
    rpcMessage: message,
  });
}

// Most nodes put the revert's bytes into `data`; some wrap them once more.
function revertData(data: unknown): Hex | undefined {
  if (typeof data === 'string' && /^0x[0-9a-fA-F]*$/.test(data)) return data as Hex;
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  return undefined;
}

/** Reads a JSON-RPC quantity as a safe integer. */
export function quantity(value: unknown): number {
  return Number(BigInt(value as string));
}

/** Writes a JSON-RPC quantity. */
export function toQuantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`;
}
