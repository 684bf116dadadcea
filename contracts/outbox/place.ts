import type { Hex } from '../../shared/bytes.ts';
import { isLedgerError } from '../ledger/ledger-error.ts';
import { broadcast, findReceipt, isHeld, wouldRevert } from './chain.ts';
import { freeNonce, type OutboxContext, usualFees, writeOff } from './context.ts';
import { failure } from './failure.ts';
import { type Call, gasLimitOf } from './fees.ts';
import type { Shortfall } from './funds.ts';
import { OutboxError } from './outbox-error.ts';
import type { ConfirmedRow, FailedRow, PendingRow } from './outbox-store.ts';
import { pendingAgain } from './rows.ts';
import { isSameCall, signTransaction } from './transaction.ts';

/** What became of an attempt to send: a row on its way or done, or what the wallet lacks. */
export type Placed = PendingRow | ConfirmedRow | { readonly state: 'short'; readonly shortfall: Shortfall };

/** Each transaction that reverts costs gas: one that does so again and again, against all appearances, stays failed. */
const MOST_REVERTED = 8;

/**
 * Signs a call, keeps it and broadcasts it, unless its id is known already.
 *
 * @throws LedgerError `ledger/reverted`, `ledger/unreachable`, `ledger/invalid-answer`, `ledger/refused`; nothing was sent
 * @throws OutboxError `outbox/id-reused`, `outbox/reverted`, `outbox/refused`
 */
export async function place(context: OutboxContext, id: string, call: Call): Promise<Placed> {
  const { rpc, wallet, chainId, rows, funds } = context;
  const known = rows.get(id);
  let earlier: readonly Hex[] = [];
  let reverted = known?.reverted;
  if (known !== undefined) {
    if (!isSameCall(known.rawTransaction, call)) {
      throw new OutboxError(
        'outbox/id-reused',
        `the outbox id "${id}" already stands for another transaction: give every transaction its own id`,
        { id, transactionHash: known.hashes[0] },
      );
    }
    if (known.state !== 'failed') return known;
    if (known.reason === 'reverted') {
      const mined = await findReceipt(rpc, known.hashes);
      // Lost with its block, or mined again in another one, where it may have come to another end.
      if (mined === undefined || mined.succeeded) return rows.keep(pendingAgain(known));
      // It has not been done, and its nonce is used up. What was in its way may be gone: a pause, a state not yet reached.
      reverted = [...(known.reverted ?? []), mined.receipt.transactionHash];
      if (reverted.length >= MOST_REVERTED || (await wouldRevert(rpc, wallet.address, call))) throw failure(known);
    } else {
      earlier = rows.ownHashes(known);
      // An earlier try that was written off may have been mined after all, or be about to.
      const alive = known.reason === 'refused' && (await isHeld(rpc, earlier));
      if (alive || (await findReceipt(rpc, earlier)) !== undefined) return rows.keep(pendingAgain(known, earlier));
    }
  }
  const gasLimit = await gasLimitOf(rpc, wallet.address, call).catch(async (error) => {
    // Some nodes refuse to estimate what the wallet cannot pay.
    if (!isLedgerError(error, 'ledger/refused')) throw error;
    const shortfall = await funds.cover(call.value + 1n);
    if (shortfall === undefined) throw error;
    return shortfall;
  });
  if (typeof gasLimit !== 'bigint') return { state: 'short', shortfall: gasLimit };
  const fees = await usualFees(context);
  const shortfall = await funds.cover(gasLimit * fees.maxFeePerGas + call.value);
  if (shortfall !== undefined) return { state: 'short', shortfall };

  const nonce = await freeNonce(context);
  const signed = signTransaction(wallet, call, { chainId, nonce, gasLimit, ...fees });
  const row = await rows.keep<PendingRow>({
    id,
    nonce,
    rawTransaction: signed.raw,
    hashes: [signed.hash, ...earlier.filter((hash) => hash !== signed.hash)],
    signedAtMs: context.now(),
    ...(reverted === undefined ? {} : { reverted }),
    state: 'pending',
  });
  const outcome = await broadcast(rpc, signed.raw);
  if (outcome === 'unfunded') await funds.foundEmpty();
  // Whatever else a node says may pass: the row stays, and is broadcast again.
  if (typeof outcome !== 'object') return row;
  throw failure(
    await writeOff(context, {
      ...row,
      state: 'failed',
      reason: 'refused',
      detail: outcome.refused,
    } satisfies FailedRow),
  );
}
