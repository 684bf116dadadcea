import type { Hex } from '../../shared/bytes.ts';
import { isLedgerError } from '../ledger/ledger-error.ts';
import { type Rpc, toQuantity } from '../rpc.ts';

/** A call or creation before it becomes a transaction. */
export interface Call {
  /** The contract, or null to create one. */
  readonly to: Hex | null;
  /** Calldata, or creation code with its arguments. */
  readonly data: Hex;
  /** Wei sent along. */
  readonly value: bigint;
}

/** What a transaction may cost. */
export interface Fees {
  /** Most that is paid for one unit of gas, in wei (EIP-1559). */
  readonly maxFeePerGas: bigint;
  /** Part of it that goes to the block's producer, in wei. */
  readonly maxPriorityFeePerGas: bigint;
}

const DEFAULT_TIP_WEI = 1_000_000_000n;
// EIP-7825: no transaction may ask for more.
const TRANSACTION_GAS_CAP = 1n << 24n;

/** Current fees: the node's tip, and room for the base fee to double (six full blocks). */
export async function currentFees(rpc: Rpc): Promise<Fees> {
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { baseFeePerGas?: string };
  let tip = DEFAULT_TIP_WEI;
  try {
    tip = BigInt((await rpc.call('eth_maxPriorityFeePerGas', [])) as string);
  } catch (error) {
    // Not every node knows the method.
    if (!isLedgerError(error, 'ledger/refused')) throw error;
  }
  return { maxFeePerGas: 2n * BigInt(block.baseFeePerGas ?? '0x0') + tip, maxPriorityFeePerGas: tip };
}

/**
 * Gas limit for a call: the node's estimate and a fifth more, within the protocol's cap.
 *
 * @throws LedgerError `ledger/reverted` if the call cannot succeed now
 */
export async function gasLimitOf(rpc: Rpc, from: Hex, { to, data, value }: Call): Promise<bigint> {
  const request = { from, data, value: toQuantity(value), ...(to === null ? {} : { to }) };
  const estimate = BigInt((await rpc.call('eth_estimateGas', [request, 'pending'])) as string);
  const roomy = (estimate * 6n + 4n) / 5n;
  return roomy > TRANSACTION_GAS_CAP && estimate <= TRANSACTION_GAS_CAP ? TRANSACTION_GAS_CAP : roomy;
}
