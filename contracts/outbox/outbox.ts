import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../../shared/bytes.ts';
import { isLedgerError, LedgerError } from '../ledger/ledger-error.ts';
import { connectRpc, type Rpc } from '../rpc.ts';
import type { Signer } from '../wallet.ts';
import { requestCancel } from './cancel.ts';
import type { OutboxContext } from './context.ts';
import { failure, stopped } from './failure.ts';
import { type Call, currentFees, type Fees } from './fees.ts';
import { createFunds } from './funds.ts';
import { createLook } from './look.ts';
import { codeOf, createNotices, type OutboxNotice } from './notices.ts';
import { OutboxError } from './outbox-error.ts';
import type { OutboxStore, ReceiptSummary } from './outbox-store.ts';
import { place } from './place.ts';
import { createRows } from './rows.ts';
import { type OutboxStatus, readStatus } from './status.ts';
import { type Pause, startTicker } from './ticker.ts';
import { createWaiters } from './waiters.ts';

/** What an outbox needs. */
export interface OutboxOptions {
  /** The chain; or name `rpcUrls`. */
  readonly rpc?: Rpc;
  /** Addresses of nodes of the chain, the preferred one first. */
  readonly rpcUrls?: readonly string[];
  /** The wallet; nothing else may send from it while this outbox lives. */
  readonly wallet: Signer;
  /** Where rows are kept. */
  readonly store: OutboxStore;
  /** The chain it must be (EIP-155); left out, whatever chain the node serves. */
  readonly chainId?: bigint;
  /**
   * Blocks that must hold a transaction before it counts, its own included, default 1; or `finalized`, for the chain's own
   * finality (the `finalized` tag of execution-apis).
   */
  readonly confirmations?: number | 'finalized';
  /** Blocks that may pass the next transaction by before its fees are raised; default 3. */
  readonly bumpAfterBlocks?: number;
  /** Ceiling on what is offered for one unit of gas, in wei; default 500 gwei. There, transactions wait. */
  readonly maxFeePerGasWei?: bigint;
  /** Whether `send` waits until an empty wallet is funded, the default, or throws `outbox/empty-wallet`. */
  readonly whenEmpty?: 'wait' | 'throw';
  /** Pause between two looks while something is pending; default 250 ms. */
  readonly pollIntervalMs?: number;
  /** Pause between two looks while nothing is, and the longest one while the chain is away; default 12 s. */
  readonly idleIntervalMs?: number;
  /** Told of what happens beside the outcome of each transaction. */
  readonly onNotice?: (notice: OutboxNotice) => void;
  /** Time in ms since 1970; default the system's. */
  readonly now?: () => number;
  /** Stops waiting and sending; rows stay for the next start. */
  readonly signal?: AbortSignal;
  /** How fees are chosen; default {@link currentFees}. */
  readonly fees?: (rpc: Rpc) => Promise<Fees>;
}

/** A transaction to be sent exactly once. */
export interface SendRequest {
  /** Idempotency key: one id is one transaction, however often it is sent. */
  readonly id: string;
  /** The contract, or null to create one. */
  readonly to: Hex | null;
  /** Calldata, or creation code with its arguments. */
  readonly data: Hex;
  /** Wei sent along; default none. */
  readonly value?: bigint;
}

/** How a cancellation ended. */
export interface CancelOutcome {
  /** False if the transaction was mined after all. */
  readonly cancelled: boolean;
  /** What was mined, unless another program's transaction took the nonce. */
  readonly receipt?: ReceiptSummary;
}

/** The one writer of a wallet. */
export interface Outbox {
  /** The wallet's address, lower case. */
  readonly address: Hex;
  /** The chain's id. */
  readonly chainId: bigint;
  /**
   * Sends a transaction once and resolves when it is confirmed. With an id that is known already nothing is sent again:
   * the answer is that of the first time.
   *
   * @throws LedgerError `ledger/reverted`, `ledger/unreachable`, `ledger/invalid-answer`, `ledger/refused` before anything
   *   was sent
   * @throws OutboxError `outbox/reverted` (mined, failed), `outbox/refused`, `outbox/nonce-taken` (and the call would fail
   *   now), `outbox/cancelled`, `outbox/empty-wallet`, `outbox/id-reused`, `outbox/stopped`
   */
  send(request: SendRequest): Promise<ReceiptSummary>;
  /**
   * Takes a pending transaction back, by one that does nothing with the same nonce, and resolves when either is confirmed.
   * Nothing is ever cancelled unasked.
   *
   * @throws OutboxError `outbox/not-pending`, `outbox/fee-ceiling`, `outbox/empty-wallet`, `outbox/stopped`
   */
  cancel(id: string): Promise<CancelOutcome>;
  /** How things stand, for metrics and diagnosis; asks nobody. */
  status(): OutboxStatus;
}

const LOOKS_BEFORE_TAKEN = 3;
const DEFAULT_CEILING_WEI = 500_000_000_000n;

/**
 * Opens the outbox of one wallet. Rows of an earlier process are taken up: what was signed is broadcast again, as it is,
 * and followed to its end. What was confirmed on a block that the chain loses is broadcast again too, then and later.
 *
 * Every transaction is signed and kept BEFORE it is broadcast, so a crash can neither lose nor double it.
 *
 * @throws LedgerError `ledger/unreachable`, `ledger/invalid-answer`, `ledger/wrong-chain`, `ledger/invalid-url`
 */
export async function createOutbox(options: OutboxOptions): Promise<Outbox> {
  const { wallet, signal, pollIntervalMs = 250, idleIntervalMs = 12_000, now = Date.now } = options;
  const notices = createNotices(options.onNotice, now);
  const rpc =
    options.rpc ??
    connectRpc({
      ...{ urls: options.rpcUrls ?? [], onNotice: notices.tell },
      ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
      ...(signal === undefined ? {} : { signal }),
    });
  const chainId = BigInt((await rpc.call('eth_chainId', [])) as string);
  if (options.chainId !== undefined && options.chainId !== chainId) {
    throw new LedgerError(
      'ledger/wrong-chain',
      `the node at ${rpc.url} serves chain ${chainId}, not ${options.chainId}: name another --rpc`,
      { url: rpc.url, expected: options.chainId.toString(), found: chainId.toString() },
    );
  }
  const rows = createRows(options.store, signal);
  const waiters = createWaiters(signal);
  const context: OutboxContext = {
    ...{ rpc, wallet, chainId, rows, notices, now },
    funds: createFunds(rpc, wallet.address, rows, notices),
    confirmations: options.confirmations ?? 1,
    patience: { bumpAfterBlocks: options.bumpAfterBlocks ?? 3, looksBeforeTaken: LOOKS_BEFORE_TAKEN },
    maxFeePerGasWei: options.maxFeePerGasWei ?? DEFAULT_CEILING_WEI,
    fees: options.fees ?? currentFees,
    settle: waiters.settle,
  };
  const look = createLook(context);
  let turn: Promise<unknown> = Promise.resolve();
  let failures = 0;

  await rows.load();
  await look();
  const wake = startTicker(work, nextPause(), signal);

  return {
    address: wallet.address,
    chainId,
    async send({ id, to, data, value = 0n }) {
      const { row, settled } = await untilPlaced(id, { to, data, value });
      if (row.state === 'confirmed') return row.receipt;
      wake();
      const end = await settled;
      if (end.state === 'failed') throw failure(end);
      return end.receipt;
    },
    async cancel(id) {
      const settled = await inTurn(async () => {
        if (signal?.aborted) throw stopped(id);
        await requestCancel(context, id);
        return { end: waiters.wait(id) };
      });
      wake();
      const end = await settled.end;
      const { receipt } = end;
      return {
        cancelled: end.state === 'failed' && end.reason === 'cancelled',
        ...(receipt === undefined ? {} : { receipt }),
      };
    },
    status: () => readStatus(context),
  };

  // Nonces are handed out, kept and broadcast one at a time, and no look at the chain comes between.
  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = turn.then(step);
    turn = result.catch(() => undefined);
    return result;
  }

  /** Tries until the wallet can pay for it. Whoever waits is noted within the turn, before any look can settle the row. */
  async function untilPlaced(id: string, call: Call) {
    for (let pauseMs = pollIntervalMs; ; pauseMs = Math.min(2 * pauseMs, idleIntervalMs)) {
      const placed = await inTurn(async () => {
        if (signal?.aborted) throw stopped(id);
        const row = await place(context, id, call);
        return row.state === 'short'
          ? row.shortfall
          : { row, settled: row.state === 'pending' ? waiters.wait(id) : Promise.resolve(row) };
      }).catch((error: unknown) => {
        // What a contract refuses may build on a block that the chain has lost since: then that is to be found out now.
        if (isLedgerError(error, 'ledger/reverted')) wake();
        throw error;
      });
      if ('row' in placed) return placed;
      const { message, balanceWei, needWei } = placed;
      if (options.whenEmpty === 'throw') {
        const data = { id, address: wallet.address, balanceWei: balanceWei.toString(), needWei: needWei.toString() };
        throw new OutboxError('outbox/empty-wallet', message, data);
      }
      await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }

  async function work(): Promise<Pause> {
    try {
      await inTurn(look);
      failures = 0;
      const message = 'transactions go on';
      notices.clear('look', { type: 'resumed', level: 'info', message, data: { url: rpc.url } });
    } catch (error) {
      failures += 1;
      if (!signal?.aborted) {
        const message = `transactions wait: ${error instanceof Error ? error.message : String(error)}`;
        notices.raise('look', { type: 'stalled', level: 'warn', code: codeOf(error), message, data: { url: rpc.url } });
      }
      const asked = error instanceof LedgerError ? Number(error.data['retryAfterMs'] ?? 0) : 0;
      const { ms, holdsProcess } = nextPause();
      return { ms: Math.max(ms, asked), holdsProcess };
    }
    return nextPause();
  }

  function nextPause(): Pause {
    const holdsProcess = rows.pending().length > 0;
    if (failures > 0)
      return { ms: Math.min(idleIntervalMs, pollIntervalMs * 2 ** Math.min(failures, 16)), holdsProcess };
    return { ms: holdsProcess ? pollIntervalMs : idleIntervalMs, holdsProcess };
  }
}
