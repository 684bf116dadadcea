import type { Hex } from '../../shared/bytes.ts';
import type { OutboxContext } from './context.ts';
import type { Trouble } from './notices.ts';
import { latestRaw } from './rows.ts';
import { readTransaction } from './transaction.ts';

/** A transaction on its way. */
export interface PendingStatus {
  /** The caller's idempotency key. */
  readonly id: string;
  /** The wallet's transaction number. */
  readonly nonce: number;
  /** Hashes of everything signed for it, the latest first, cancellations before the rest. */
  readonly hashes: readonly Hex[];
  /** Time since it was first signed, in ms; 0 where that is not known. */
  readonly ageMs: number;
  /** Most that it can cost in gas as it is now signed, in wei. */
  readonly feeWei: bigint;
  /** Whether it is being cancelled. */
  readonly cancelling: boolean;
}

/** How an outbox stands. */
export interface OutboxStatus {
  /** The wallet's address, lower case. */
  readonly address: Hex;
  /** What the wallet had at the last look, in wei. */
  readonly balanceWei: bigint;
  /** What is on its way, in order of nonces. */
  readonly pending: readonly PendingStatus[];
  /** The latest trouble that still goes on. */
  readonly lastError?: Trouble;
  /** The endpoint in use, without its path. */
  readonly endpoint: string;
}

/** Reads the status off what is known already. */
export function readStatus({ rpc, wallet, rows, funds, notices, now }: OutboxContext): OutboxStatus {
  const lastError = notices.latest();
  return {
    address: wallet.address,
    balanceWei: funds.balanceWei,
    pending: rows.pending().map((row) => {
      const { fees, gasLimit } = readTransaction(latestRaw(row));
      return {
        id: row.id,
        nonce: row.nonce,
        hashes: [...(row.cancellation?.hashes ?? []), ...row.hashes],
        ageMs: row.signedAtMs === undefined ? 0 : Math.max(0, now() - row.signedAtMs),
        feeWei: gasLimit * fees.maxFeePerGas,
        cancelling: row.cancellation !== undefined,
      };
    }),
    ...(lastError === undefined ? {} : { lastError }),
    endpoint: rpc.url,
  };
}
