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

/** Fees no higher than a ceiling, in wei for one unit of gas. */
export function cappedFees({ maxFeePerGas, maxPriorityFeePerGas }: Fees, ceilingWei: bigint): Fees {
  const capped = maxFeePerGas < ceilingWei ? maxFeePerGas : ceilingWei;
  return { maxFeePerGas: capped, maxPriorityFeePerGas: maxPriorityFeePerGas < capped ? maxPriorityFeePerGas : capped };
}

/**
 * Fees with which a transaction can replace one that offered `offered`, at least what is usual now: nodes ask for a tenth
 * more of both fees, some for more than that tenth (geth's `txpool.pricebump`, and its like elsewhere).
 *
 * @param ceilingWei - most that may be offered for one unit of gas
 * @returns undefined where the ceiling leaves no room for a replacement
 */
export function raisedFees(offered: Fees, usual: Fees, ceilingWei: bigint): Fees | undefined {
  const needed = (wei: bigint): bigint => (wei * 11n + 9n) / 10n + 1n;
  const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  if (needed(offered.maxFeePerGas) > ceilingWei) return undefined;
  return cappedFees(
    {
      maxFeePerGas: most(needed(offered.maxFeePerGas), usual.maxFeePerGas),
      maxPriorityFeePerGas: most(needed(offered.maxPriorityFeePerGas), usual.maxPriorityFeePerGas),
    },
    ceilingWei,
  );
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
