import type { Hex } from '../shared/bytes.ts';
import { LedgerError } from './ledger/ledger-error.ts';
import { decodeRevert, describeRevert } from './ledger/revert.ts';

/** What a node may answer to a JSON-RPC call (JSON-RPC 2.0, section 5). */
export interface RpcAnswer {
  /** The method's result. */
  readonly result?: unknown;
  /** Why there is none. */
  readonly error?: {
    /** Number of the error. */
    readonly code?: number;
    /** One sentence. */
    readonly message?: string;
    /** Whatever the method adds, such as a revert's bytes. */
    readonly data?: unknown;
  } | null;
}

const QUANTITIES: readonly string[] = [
  ...['eth_chainId', 'eth_blockNumber', 'eth_getTransactionCount', 'eth_getBalance', 'eth_estimateGas'],
  'eth_maxPriorityFeePerGas',
];
const OBJECTS: readonly string[] = ['eth_getBlockByNumber', 'eth_getTransactionByHash', 'eth_getTransactionReceipt'];
const BYTES: readonly string[] = ['eth_call', 'eth_getCode', 'eth_sendRawTransaction'];

/**
 * Whether a result has the shape that its method's specification gives it (ethereum/execution-apis); methods that are not
 * listed may answer anything. A gateway in trouble answers with a success and nonsense in it.
 */
export function isPlausible(method: string, result: unknown): boolean {
  if (QUANTITIES.includes(method)) return isQuantity(result);
  if (BYTES.includes(method)) return typeof result === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(result);
  if (method === 'eth_getLogs') return Array.isArray(result);
  if (!OBJECTS.includes(method)) return true;
  if (result === null) return true;
  if (typeof result !== 'object') return false;
  const fields = result as Record<string, unknown>;
  if (method === 'eth_getBlockByNumber') return isQuantity(fields['number']) && isHash(fields['hash']);
  if (method === 'eth_getTransactionByHash') return isHash(fields['hash']);
  return isQuantity(fields['blockNumber']) && isHash(fields['blockHash']) && isQuantity(fields['gasUsed']);
}

function isQuantity(value: unknown): boolean {
  return typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value);
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value);
}

// One code, -32005, also stands for a query that matches too many logs, which no other node would answer either.
const RATE_LIMITED = /rate.?limit|too many requests|requests per second|quota|compute units/i;

/** Whether an error says that the caller asks too often, rather than that the call is wrong. */
export function isRateLimited({ error }: RpcAnswer): boolean {
  return RATE_LIMITED.test(error?.message ?? '');
}

/** A node's error as this product's: `ledger/reverted` where a contract refused, `ledger/refused` otherwise. */
export function refusal(url: string, method: string, failure: NonNullable<RpcAnswer['error']>): LedgerError {
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
