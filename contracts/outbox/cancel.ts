import { broadcast } from './chain.ts';
import { type OutboxContext, usualFees } from './context.ts';
import { gasLimitOf, raisedFees } from './fees.ts';
import { OutboxError } from './outbox-error.ts';
import { latestRaw } from './rows.ts';
import { readTransaction, signTransaction } from './transaction.ts';

/**
 * Signs a transaction that does nothing for the nonce of a pending row, keeps it and broadcasts it. Which of the two is
 * mined is for the chain to say.
 *
 * @throws OutboxError `outbox/not-pending`, `outbox/fee-ceiling`, `outbox/empty-wallet`
 */
export async function requestCancel(context: OutboxContext, id: string): Promise<void> {
  const { rpc, wallet, chainId, rows, funds, notices, maxFeePerGasWei } = context;
  const row = rows.get(id);
  if (row?.state !== 'pending') {
    const state = row?.state ?? 'unknown';
    throw new OutboxError(
      'outbox/not-pending',
      `transaction "${id}" is ${state}: only a pending one can be cancelled`,
      {
        id,
        state,
      },
    );
  }
  if (row.cancellation !== undefined) return;
  const offered = readTransaction(row.rawTransaction);
  const fees = raisedFees(offered.fees, await usualFees(context), maxFeePerGasWei);
  if (fees === undefined) {
    throw new OutboxError(
      'outbox/fee-ceiling',
      `cancelling "${id}" costs more than the ceiling of ${maxFeePerGasWei} wei for a unit of gas: raise the ceiling`,
      { id, ceilingWei: maxFeePerGasWei.toString(), offeredWei: offered.fees.maxFeePerGas.toString() },
    );
  }
  const call = { to: wallet.address, data: '0x', value: 0n } as const;
  const gasLimit = await gasLimitOf(rpc, wallet.address, call);
  const shortfall = await funds.cover(gasLimit * fees.maxFeePerGas, readTransaction(latestRaw(row)).costWei);
  if (shortfall !== undefined) throw new OutboxError('outbox/empty-wallet', shortfall.message, { id });
  const { raw, hash } = signTransaction(wallet, call, { chainId, nonce: row.nonce, gasLimit, ...fees });
  await rows.keep({ ...row, cancellation: { rawTransaction: raw, hashes: [hash] } });
  const message = `transaction "${id}" is being cancelled`;
  const data = { id, nonce: row.nonce, transactionHash: hash };
  notices.tell({ type: 'cancelRequested', level: 'info', message, data });
  await broadcast(rpc, raw);
}
