import type { Rpc } from '../rpc.ts';
import type { Signer } from '../wallet.ts';
import { transactionCount } from './chain.ts';
import type { Patience } from './decide.ts';
import { cappedFees, type Fees } from './fees.ts';
import type { Funds } from './funds.ts';
import type { Notices } from './notices.ts';
import type { FailedRow, OutboxRow } from './outbox-store.ts';
import type { Rows } from './rows.ts';

/** What the parts of one outbox share. */
export interface OutboxContext {
  /** The chain. */
  readonly rpc: Rpc;
  /** The wallet. */
  readonly wallet: Signer;
  /** The chain's id (EIP-155). */
  readonly chainId: bigint;
  /** The wallet's transactions. */
  readonly rows: Rows;
  /** The wallet's coins. */
  readonly funds: Funds;
  /** Where events and troubles are told. */
  readonly notices: Notices;
  /** Depth that counts, the transaction's own block included; or the chain's own finality. */
  readonly confirmations: number | 'finalized';
  /** When a waiting row is helped along. */
  readonly patience: Patience;
  /** Most that is offered for one unit of gas, in wei. */
  readonly maxFeePerGasWei: bigint;
  /** How fees are chosen. */
  readonly fees: (rpc: Rpc) => Promise<Fees>;
  /** Time in ms since 1970. */
  readonly now: () => number;
  /** Called with each row that is done with, after it is kept. */
  readonly settle: (row: Exclude<OutboxRow, { state: 'pending' }>) => void;
}

/** The fees of the moment, within the ceiling. */
export async function usualFees({ rpc, fees, maxFeePerGasWei }: OutboxContext): Promise<Fees> {
  return cappedFees(await fees(rpc), maxFeePerGasWei);
}

/** The nonce of the next transaction: after those of this outbox, and after any other one that the node knows of. */
export async function freeNonce({ rpc, wallet, rows }: OutboxContext): Promise<number> {
  return Math.max(await transactionCount(rpc, wallet.address, 'pending'), rows.nextNonce());
}

/** Keeps what became of a row, tells it, and lets go of whoever waits for it. */
export async function writeOff(context: OutboxContext, row: FailedRow): Promise<FailedRow> {
  await context.rows.keep(row);
  const { id, nonce, reason, detail } = row;
  const message = `transaction "${id}" was not done (${reason}): ${detail}`;
  context.notices.tell({ type: 'failed', level: 'warn', message, data: { id, nonce, reason } });
  context.settle(row);
  return row;
}
