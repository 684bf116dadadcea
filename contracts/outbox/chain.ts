import type { Hex } from '../../shared/bytes.ts';
import { isLedgerError, LedgerError } from '../ledger/ledger-error.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';
import type { Call } from './fees.ts';
import type { ReceiptSummary } from './outbox-store.ts';
import { readTransaction } from './transaction.ts';

/**
 * What a node made of a broadcast: `accepted`; `known`, a transaction that it has, had or has mined, or prefers another
 * one to; `postponed`, not for the transaction's fault; `underpriced`; `unfunded`; or refused, with the node's reason.
 */
export type BroadcastOutcome =
  | 'accepted'
  | 'known'
  | 'postponed'
  | 'underpriced'
  | 'unfunded'
  | {
      /** The node's reason. */
      readonly refused: string;
    };

// Nodes agree on these words and on no codes (geth, erigon, nethermind, besu, reth and anvil were compared).
const MEANINGS: readonly (readonly [RegExp, BroadcastOutcome])[] = [
  [/already known|already imported|known transaction|nonce.?too.?low|oldnonce|replacement|replace existing/i, 'known'],
  [/insufficient.?(funds|balance)|upfront cost exceeds|not enough (funds|balance)/i, 'unfunded'],
  [/underpriced|less than block base fee|fee ?too ?low|gas price .*(low|below)|fee cap .*less/i, 'underpriced'],
  [/pool (is )?full|limit|busy|time.?out|temporar|internal error|syncing|not available/i, 'postponed'],
];

/** Broadcasts a transaction. Safe to repeat. */
export async function broadcast(rpc: Rpc, raw: Hex): Promise<BroadcastOutcome> {
  try {
    await rpc.call('eth_sendRawTransaction', [raw]);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (error.code !== 'ledger/refused' && error.code !== 'ledger/reverted') return 'postponed';
    const message = String(error.data['rpcMessage'] ?? error.message);
    return MEANINGS.find(([words]) => words.test(message))?.[1] ?? { refused: message };
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
    if (found === null) continue;
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

/** Whether the node has any of these transactions, mined or waiting. */
export async function isHeld(rpc: Rpc, hashes: readonly Hex[]): Promise<boolean> {
  for (const hash of hashes) {
    if ((await rpc.call('eth_getTransactionByHash', [hash])) !== null) return true;
  }
  return false;
}

/** How many transactions of this address are counted at a block tag or number: its next nonce there. */
export async function transactionCount(rpc: Rpc, address: Hex, at: string | number): Promise<number> {
  const tag = typeof at === 'number' ? toQuantity(at) : at;
  return quantity(await rpc.call('eth_getTransactionCount', [address, tag]));
}

/** A block's place in the chain. */
export interface BlockId {
  /** Its number. */
  readonly number: number;
  /** Its hash. */
  readonly hash: Hex;
}

/** The block with a tag or number; undefined where the node has none. */
export async function blockAt(rpc: Rpc, at: string | number): Promise<BlockId | undefined> {
  const tag = typeof at === 'number' ? toQuantity(at) : at;
  const block = (await rpc.call('eth_getBlockByNumber', [tag, false])) as Record<string, string> | null;
  return block === null ? undefined : { number: quantity(block['number']), hash: block['hash'] as Hex };
}

/** Number of the latest finalized block; -1 before there is one, or where the node does not know the tag. */
export async function finalizedNumber(rpc: Rpc): Promise<number> {
  try {
    return (await blockAt(rpc, 'finalized'))?.number ?? -1;
  } catch (error) {
    // geth answers with an error until it has finalized something.
    if (isLedgerError(error, 'ledger/refused')) return -1;
    throw error;
  }
}

/** Why a mined transaction failed, by calling it again on the block before. */
export async function explainRevert(rpc: Rpc, from: Hex, raw: Hex, blockNumber: number): Promise<string> {
  const { to, data, value } = readTransaction(raw).call;
  const request = { from, data, value: toQuantity(value), ...(to === null ? {} : { to }) };
  try {
    await rpc.call('eth_call', [request, toQuantity(blockNumber - 1)]);
    return 'it would succeed on the block before: another transaction came first, or gas ran out';
  } catch (error) {
    return error instanceof LedgerError ? error.message : String(error);
  }
}

/** Whether a call would fail on the latest block. */
export async function wouldRevert(rpc: Rpc, from: Hex, { to, data, value }: Call): Promise<boolean> {
  const request = { from, data, value: toQuantity(value), ...(to === null ? {} : { to }) };
  try {
    await rpc.call('eth_call', [request, 'latest']);
    return false;
  } catch (error) {
    if (!isLedgerError(error, 'ledger/reverted')) throw error;
    return true;
  }
}
