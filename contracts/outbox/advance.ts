import { isLedgerError } from '../ledger/ledger-error.ts';
import { type BlockId, broadcast, explainRevert, findReceipt, isHeld, transactionCount } from './chain.ts';
import { freeNonce, type OutboxContext, usualFees, writeOff } from './context.ts';
import { decide, type Sight } from './decide.ts';
import { gasLimitOf, raisedFees } from './fees.ts';
import { isGapFiller } from './gap.ts';
import type { ConfirmedRow, PendingRow, ReceiptSummary } from './outbox-store.ts';
import { failedRow, latestRaw, pendingAgain } from './rows.ts';
import { readTransaction, signTransaction } from './transaction.ts';

/** What one look at the chain showed of the wallet. */
export interface View {
  /** The latest block. */
  readonly head: BlockId;
  /** Number of the latest block that is deep enough to count; negative if there is none. */
  readonly settledBlock: number;
  /** The wallet's next nonce at the latest block. */
  readonly nextNonce: number;
  /** Whether it is time to broadcast again what is waiting. */
  readonly broadcastDue: boolean;
}

/** Takes pending rows a step further. */
export interface Advancer {
  /** pending -> pending | confirmed | failed */
  advance(row: PendingRow, view: View): Promise<void>;
}

/** What is remembered of a row between two looks; nothing is lost if it is forgotten. */
interface Memory {
  looksGone: number;
  /** What was signed last when the row was first seen to be next, and the latest block then. */
  next?: { raw: string; block: number };
  underpriced: boolean;
}

/** Gathers what {@link decide} needs to know of a row, and does what it says. */
export function createAdvancer(context: OutboxContext): Advancer {
  const { rpc, wallet, chainId, rows, funds, notices } = context;
  const memories = new Map<string, Memory>();

  return {
    async advance(row, view) {
      const memory = memories.get(row.id) ?? { looksGone: 0, underpriced: false };
      memories.set(row.id, memory);
      const sight = await see(row, view, memory);
      const move = decide(sight, context.patience);
      switch (move.type) {
        case 'wait':
          return;
        case 'broadcast':
          return rebroadcast(row, memory);
        case 'raise':
          return raise(row, memory, view.broadcastDue);
        case 'signAgain':
          memory.looksGone = 0;
          return signAgain(row);
        default:
          await finish(row, move.type, move.receipt);
          forget(row);
      }
    },
  };

  async function see(row: PendingRow, view: View, memory: Memory): Promise<Sight> {
    const { nonce, hashes, cancellation } = row;
    const { nextNonce, settledBlock, head, broadcastDue } = view;
    const used = nextNonce > nonce;
    const done = used ? await findReceipt(rpc, hashes) : undefined;
    const cancelled = used && !done && cancellation ? await findReceipt(rpc, cancellation.hashes) : undefined;
    const mined = done ?? cancelled;
    memory.looksGone = used && !mined ? memory.looksGone + 1 : 0;
    if (nextNonce !== nonce) delete memory.next;
    else if (memory.next?.raw !== latestRaw(row)) memory.next = { raw: latestRaw(row), block: head.number };
    return {
      ...{ nonce, nextNonce, settledBlock, broadcastDue },
      ...(mined && { mined: { ...mined, cancels: mined === cancelled } }),
      ...(used && !mined && (await whoTook(row, settledBlock))),
      looksGone: memory.looksGone,
      waitedBlocks: memory.next === undefined ? 0 : head.number - memory.next.block,
      underpriced: memory.underpriced,
    };
  }

  async function whoTook(row: PendingRow, settledBlock: number): Promise<Pick<Sight, 'settledNextNonce' | 'held'>> {
    const held = await isHeld(rpc, [...row.hashes, ...(row.cancellation?.hashes ?? [])]);
    if (settledBlock < 0) return { held };
    try {
      return { held, settledNextNonce: await transactionCount(rpc, wallet.address, settledBlock) };
    } catch (error) {
      // A node may have dropped the state of so old a block. Then nothing is known, and nothing is done.
      if (isLedgerError(error, 'ledger/refused')) return { held };
      throw error;
    }
  }

  async function rebroadcast(row: PendingRow, memory: Memory): Promise<void> {
    const { id, nonce } = row;
    const outcome = await broadcast(rpc, latestRaw(row));
    memory.underpriced = outcome === 'underpriced';
    if (outcome === 'unfunded') await funds.foundEmpty();
    if (typeof outcome === 'object') {
      const message = `the node does not take transaction "${id}", which is tried again: ${outcome.refused}`;
      notices.raise(`row:${id}`, {
        ...{ type: 'refused', level: 'warn', code: 'outbox/refused', message, data: { id, nonce } },
      });
    } else {
      if (outcome !== 'postponed') notices.clear(`row:${id}`);
      if (outcome !== 'accepted') return;
      const message = `the node did not have transaction "${id}": it was broadcast again`;
      notices.tell({ type: 'broadcastAgain', level: 'info', message, data: { id, nonce } });
    }
  }

  async function raise(row: PendingRow, memory: Memory, broadcastDue: boolean): Promise<void> {
    const { id, nonce, cancellation } = row;
    const { call, fees: offered, gasLimit, costWei } = readTransaction(latestRaw(row));
    const { maxFeePerGasWei } = context;
    const fees = raisedFees(offered, await usualFees(context), maxFeePerGasWei);
    if (fees === undefined) {
      const message = `transaction "${id}" waits: it offers ${offered.maxFeePerGas} wei for a unit of gas, and a raise would pass the ceiling of ${maxFeePerGasWei}; raise the ceiling, wait, or cancel it`;
      const data = { id, nonce, ceilingWei: maxFeePerGasWei.toString(), offeredWei: offered.maxFeePerGas.toString() };
      notices.raise(`ceiling:${id}`, {
        ...{ type: 'ceilingReached', level: 'warn', code: 'outbox/fee-ceiling', message, data },
      });
    }
    // What is signed already stays in the race if the wallet cannot pay for more.
    if (fees === undefined || (await funds.cover(gasLimit * fees.maxFeePerGas + call.value, costWei)) !== undefined) {
      return broadcastDue ? rebroadcast(row, memory) : undefined;
    }
    const { raw, hash } = signTransaction(wallet, call, { chainId, nonce, gasLimit, ...fees });
    await rows.keep<PendingRow>(
      cancellation === undefined
        ? { ...row, rawTransaction: raw, hashes: [hash, ...row.hashes] }
        : { ...row, cancellation: { rawTransaction: raw, hashes: [hash, ...cancellation.hashes] } },
    );
    const message = `transaction "${id}" was replaced by the same at a higher fee`;
    const data = { id, nonce, transactionHash: hash, maxFeePerGasWei: fees.maxFeePerGas.toString() };
    notices.tell({ type: 'bumped', level: 'info', message, data });
    const outcome = await broadcast(rpc, raw);
    memory.underpriced = outcome === 'underpriced';
    if (outcome === 'unfunded') await funds.foundEmpty();
  }

  /** The same call with the next nonce, now that its own can never be had. */
  async function signAgain(row: PendingRow): Promise<void> {
    const { id, nonce } = row;
    const detail = `another transaction used nonce ${nonce}`;
    if (row.cancellation !== undefined) return end(row, 'cancelled', detail);
    if (isGapFiller(row)) return end(row, 'replaced', detail);
    const { call } = readTransaction(row.rawTransaction);
    const fees = await usualFees(context);
    let gasLimit: bigint;
    try {
      gasLimit = await gasLimitOf(rpc, wallet.address, call);
    } catch (error) {
      if (!isLedgerError(error, 'ledger/reverted')) throw error;
      return end(row, 'replaced', `${detail}, and now ${error.message}`);
    }
    const costWei = gasLimit * fees.maxFeePerGas + call.value;
    if ((await funds.cover(costWei, readTransaction(row.rawTransaction).costWei)) !== undefined) return;
    const next = await freeNonce(context);
    const { raw, hash } = signTransaction(wallet, call, { chainId, nonce: next, gasLimit, ...fees });
    await rows.keep({ ...pendingAgain(row, [hash, ...row.hashes]), nonce: next, rawTransaction: raw });
    const message = `another program's transaction took nonce ${nonce} of "${id}", which was signed again with ${next}: give this program a wallet of its own`;
    const data = { id, nonce, nextNonce: next, transactionHash: hash };
    notices.tell({ type: 'nonceTaken', level: 'warn', code: 'outbox/nonce-taken', message, data });
    await broadcast(rpc, raw);
  }

  async function finish(row: PendingRow, how: 'confirm' | 'revert' | 'cancel', receipt: ReceiptSummary): Promise<void> {
    const { id, nonce } = row;
    const { transactionHash, blockNumber } = receipt;
    if (how === 'cancel')
      return end(row, 'cancelled', `block ${blockNumber} holds ${transactionHash} instead`, receipt);
    if (how === 'revert') {
      const why = await explainRevert(rpc, wallet.address, row.rawTransaction, blockNumber);
      return end(row, 'reverted', why, receipt);
    }
    const confirmed = await rows.keep<ConfirmedRow>({ ...row, state: 'confirmed', receipt });
    const message = `transaction "${id}" is confirmed in block ${blockNumber}`;
    notices.tell({ type: 'confirmed', level: 'info', message, data: { id, nonce, transactionHash, blockNumber } });
    context.settle(confirmed);
  }

  async function end(
    row: PendingRow,
    reason: 'reverted' | 'cancelled' | 'replaced',
    detail: string,
    receipt?: ReceiptSummary,
  ): Promise<void> {
    await writeOff(context, failedRow(row, reason, detail, receipt));
    forget(row);
  }

  function forget({ id }: PendingRow): void {
    memories.delete(id);
    notices.clear(`row:${id}`);
    notices.clear(`ceiling:${id}`);
  }
}
