import { Signature, Transaction } from 'ethers';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import { LedgerError } from '../ledger/ledger-error.ts';
import { quantity, type Rpc } from '../rpc.ts';
import type { Signer } from '../wallet.ts';
import type { Call, Fees } from './fees.ts';
import type { ReceiptSummary } from './outbox-store.ts';

/** A signed transaction. */
export interface SignedTransaction {
  /** The bytes to broadcast. */
  readonly raw: Hex;
  /** Its hash. */
  readonly hash: Hex;
}

/** Signs a type-2 transaction (EIP-1559). */
export function signTransaction(
  wallet: Signer,
  call: Call,
  terms: Fees & { readonly chainId: bigint; readonly nonce: number; readonly gasLimit: bigint },
): SignedTransaction {
  const transaction = Transaction.from({ type: 2, to: call.to, data: call.data, value: call.value, ...terms });
  transaction.signature = Signature.from(wallet.signDigest(fromHex(transaction.unsignedHash)));
  return { raw: transaction.serialized as Hex, hash: transaction.hash as Hex };
}

/** Whether a signed transaction does exactly this call. */
export function isSameCall(raw: Hex, call: Call): boolean {
  const transaction = Transaction.from(raw);
  return (
    (transaction.to?.toLowerCase() ?? null) === (call.to?.toLowerCase() ?? null) &&
    transaction.data.toLowerCase() === call.data.toLowerCase() &&
    transaction.value === call.value
  );
}

/** What a node made of a broadcast; `known` covers a transaction it has, had, or has mined. */
export type BroadcastOutcome =
  | 'accepted'
  | 'known'
  | 'unreachable'
  | {
      /** The node's reason. */
      readonly refused: string;
    };

// Nodes agree on these words and on no codes (geth, erigon, nethermind, besu, reth and anvil were compared).
const KNOWN = /already known|already imported|known transaction|nonce too low|oldnonce|underpriced|nonce_too_low/i;

/** Broadcasts a transaction. Safe to repeat. */
export async function broadcast(rpc: Rpc, raw: Hex): Promise<BroadcastOutcome> {
  try {
    await rpc.call('eth_sendRawTransaction', [raw]);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (error.code === 'ledger/unreachable') return 'unreachable';
    const message = String(error.data['rpcMessage'] ?? error.message);
    return KNOWN.test(message) ? 'known' : { refused: message };
  }
}

/** A receipt with the outcome. */
export interface Mined {
  /** Whether the transaction did what it was sent for. */
  readonly succeeded: boolean;
  /** The receipt. */
  readonly receipt: ReceiptSummary;
}

/** The receipt of whichever of these transactions is mined. */
export async function findReceipt(rpc: Rpc, hashes: readonly Hex[]): Promise<Mined | undefined> {
  for (const hash of hashes) {
    const found = (await rpc.call('eth_getTransactionReceipt', [hash])) as Record<string, string> | null;
    if (found === null || found['blockNumber'] === null) continue;
    const created = found['contractAddress'];
    return {
      succeeded: quantity(found['status']) === 1,
      receipt: {
        transactionHash: hash,
        blockNumber: quantity(found['blockNumber']),
        blockHash: found['blockHash'] as Hex,
        gasUsed: quantity(found['gasUsed']),
        gasPriceWei: BigInt(found['effectiveGasPrice'] ?? '0x0').toString(),
        ...(created ? { contractAddress: created.toLowerCase() as Hex } : {}),
      },
    };
  }
  return undefined;
}

/** How many transactions of this address are counted at a block tag: its next nonce. */
export async function transactionCount(rpc: Rpc, address: Hex, tag: 'latest' | 'pending'): Promise<number> {
  return quantity(await rpc.call('eth_getTransactionCount', [address, tag]));
}

/** Why a mined transaction failed, by calling it again on the block that holds it. */
export async function explainRevert(rpc: Rpc, from: Hex, raw: Hex, blockNumber: number): Promise<string> {
  const { to, data, value } = Transaction.from(raw);
  const request = { from, data, value: `0x${value.toString(16)}`, ...(to === null ? {} : { to }) };
  try {
    await rpc.call('eth_call', [request, `0x${(blockNumber - 1).toString(16)}`]);
    return 'it would succeed on the block before: another transaction came first, or gas ran out';
  } catch (error) {
    return error instanceof LedgerError ? error.message : String(error);
  }
}
