import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../../shared/bytes.ts';
import { isLedgerError, LedgerError } from '../ledger/ledger-error.ts';
import { quantity, type Rpc } from '../rpc.ts';
import type { Signer } from '../wallet.ts';
import { broadcast, explainRevert, findReceipt, isSameCall, signTransaction, transactionCount } from './chain.ts';
import { type Call, currentFees, type Fees, gasLimitOf } from './fees.ts';
import { OutboxError } from './outbox-error.ts';
import type { FailedRow, OutboxRow, OutboxStore, PendingRow, ReceiptSummary } from './outbox-store.ts';

/** What an outbox needs. */
export interface OutboxOptions {
  /** The node to broadcast to. */
  readonly rpc: Rpc;
  /** The wallet; nothing else may send from it while this outbox lives. */
  readonly wallet: Signer;
  /** Where rows are kept. */
  readonly store: OutboxStore;
  /** The chain it must be (EIP-155); left out, whatever chain the node serves. */
  readonly chainId?: bigint;
  /** Blocks that must hold a transaction before it counts, its own included; default 1. */
  readonly confirmations?: number;
  /** Pause between two looks for a receipt; default 250 ms. */
  readonly pollIntervalMs?: number;
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
   * @throws LedgerError `ledger/reverted`, `ledger/unreachable`, `ledger/refused` before anything was sent
   * @throws OutboxError `outbox/reverted` (mined, failed), `outbox/refused`, `outbox/nonce-taken`, `outbox/id-reused`,
   *   `outbox/stopped`
   */
  send(request: SendRequest): Promise<ReceiptSummary>;
}

const REBROADCAST_EVERY = 20;
const LOOKS_BEFORE_REPLACED = 3;

/**
 * Opens the outbox of one wallet. Rows of an earlier process are taken up: what was signed is broadcast again, as it is,
 * and followed to its end; what was confirmed on a block that the chain has lost is broadcast again too.
 *
 * Every transaction is signed and kept BEFORE it is broadcast, so a crash can neither lose nor double it.
 *
 * @throws LedgerError `ledger/unreachable`, `ledger/wrong-chain`
 */
export async function createOutbox(options: OutboxOptions): Promise<Outbox> {
  const { rpc, wallet, store, signal, confirmations = 1, pollIntervalMs = 250, fees = currentFees } = options;
  const chainId = BigInt((await rpc.call('eth_chainId', [])) as string);
  if (options.chainId !== undefined && options.chainId !== chainId) {
    throw new LedgerError(
      'ledger/wrong-chain',
      `the node at ${rpc.url} serves chain ${chainId}, not ${options.chainId}: name another --rpc`,
      { expected: options.chainId.toString(), found: chainId.toString() },
    );
  }
  const rows = new Map<string, OutboxRow>();
  const watches = new Map<string, Promise<ReceiptSummary>>();
  let turn: Promise<unknown> = Promise.resolve();

  await rehydrate();
  return {
    address: wallet.address,
    chainId,
    async send({ id, to, data, value = 0n }) {
      const row = await inTurn(() => place(id, { to, data, value }));
      return row.state === 'confirmed' ? row.receipt : watch(row);
    },
  };

  // Nonces are handed out, kept and broadcast one at a time; waiting for receipts is not part of a turn.
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  async function keep<Row extends OutboxRow>(row: Row): Promise<Row> {
    await store.put(row);
    rows.set(row.id, row);
    return row;
  }

  async function rehydrate(): Promise<void> {
    const kept = [...(await store.all())].sort((a, b) => a.nonce - b.nonce);
    const count = await transactionCount(rpc, wallet.address, 'latest');
    for (const row of kept) {
      rows.set(row.id, row);
      if (row.state === 'confirmed' && row.nonce >= count) {
        const { receipt: _, ...rest } = row;
        await keep({ ...rest, state: 'pending' });
      }
    }
    for (const { id } of kept) {
      const row = rows.get(id);
      if (row?.state !== 'pending') continue;
      await broadcast(rpc, row.rawTransaction);
      // Whoever sends this id again sees the outcome; until then it is only written down.
      watch(row).catch(() => undefined);
    }
  }

  async function place(id: string, call: Call): Promise<Exclude<OutboxRow, FailedRow>> {
    if (signal?.aborted) throw stopped(id);
    const known = rows.get(id);
    let earlier: readonly Hex[] = [];
    if (known !== undefined) {
      if (!isSameCall(known.rawTransaction, call)) {
        throw new OutboxError(
          'outbox/id-reused',
          `the outbox id "${id}" already stands for another transaction: give every transaction its own id`,
          { id, transactionHash: known.hashes[0] },
        );
      }
      if (known.state !== 'failed') return known;
      if (known.reason === 'reverted') throw failure(known);
      // An earlier try that was written off may have been mined after all.
      earlier = ownHashes(known);
      if ((await findReceipt(rpc, earlier)) !== undefined) return keep(pendingAgain(known, earlier));
    }
    const gasLimit = await gasLimitOf(rpc, wallet.address, call);
    const nonce = await nextNonce();
    const signed = signTransaction(wallet, call, { chainId, nonce, gasLimit, ...(await fees(rpc)) });
    const row = await keep<PendingRow>({
      id,
      nonce,
      rawTransaction: signed.raw,
      hashes: [signed.hash, ...earlier.filter((hash) => hash !== signed.hash)],
      state: 'pending',
    });
    const outcome = await broadcast(rpc, row.rawTransaction);
    if (typeof outcome === 'object') {
      throw failure(await keep<FailedRow>({ ...row, state: 'failed', reason: 'refused', detail: outcome.refused }));
    }
    return row;
  }

  /** Two ids with the same call, one after the other on the same freed nonce, are byte for byte the same transaction. */
  function ownHashes(failed: FailedRow): readonly Hex[] {
    const others = [...rows.values()].filter((row) => row.id !== failed.id);
    return failed.hashes.filter((hash) => !others.some((row) => row.hashes.includes(hash)));
  }

  async function nextNonce(): Promise<number> {
    const own = [...rows.values()].filter((row) => row.state === 'pending').map((row) => row.nonce + 1);
    return Math.max(await transactionCount(rpc, wallet.address, 'pending'), ...own);
  }

  function watch(row: PendingRow): Promise<ReceiptSummary> {
    const running = watches.get(row.id);
    if (running !== undefined) return running;
    const started = follow(row).finally(() => watches.delete(row.id));
    watches.set(row.id, started);
    return started;
  }

  /** pending -> confirmed | failed */
  async function follow(row: PendingRow): Promise<ReceiptSummary> {
    let looksWithoutNonce = 0;
    for (let look = 1; ; look++) {
      try {
        const mined = await findReceipt(rpc, row.hashes);
        if (mined !== undefined) {
          looksWithoutNonce = 0;
          if (!mined.succeeded) {
            const detail = await explainRevert(rpc, wallet.address, row.rawTransaction, mined.receipt.blockNumber);
            throw failure(await keep<FailedRow>({ ...row, state: 'failed', reason: 'reverted', detail }));
          }
          if (confirmations <= 1 || (await depthOf(mined.receipt.blockNumber)) >= confirmations) {
            await keep({ ...row, state: 'confirmed', receipt: mined.receipt });
            return mined.receipt;
          }
        } else if ((await transactionCount(rpc, wallet.address, 'latest')) > row.nonce) {
          // Nodes behind one address may lag behind each other, so one look is not enough.
          looksWithoutNonce += 1;
          if (looksWithoutNonce >= LOOKS_BEFORE_REPLACED) {
            const detail = `another transaction used nonce ${row.nonce}`;
            throw failure(await keep<FailedRow>({ ...row, state: 'failed', reason: 'replaced', detail }));
          }
        } else if (look % REBROADCAST_EVERY === 0) {
          await broadcast(rpc, row.rawTransaction);
        }
      } catch (error) {
        // The transaction is out; a node that is away for a while changes nothing about that.
        if (!isLedgerError(error, 'ledger/unreachable') && !isLedgerError(error, 'ledger/refused')) throw error;
      }
      if (signal?.aborted) throw stopped(row.id);
      await delay(pollIntervalMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      if (signal?.aborted) throw stopped(row.id);
    }
  }

  async function depthOf(blockNumber: number): Promise<number> {
    return quantity(await rpc.call('eth_blockNumber', [])) - blockNumber + 1;
  }
}

function pendingAgain({ id, nonce, rawTransaction }: FailedRow, hashes: readonly Hex[]): PendingRow {
  return { id, nonce, rawTransaction, hashes, state: 'pending' };
}

function failure({ id, reason, detail, hashes, nonce }: FailedRow): OutboxError {
  const data = { id, nonce, transactionHash: hashes[0], detail };
  switch (reason) {
    case 'reverted':
      return new OutboxError('outbox/reverted', `transaction "${id}" was mined but failed: ${detail}`, data);
    case 'refused':
      return new OutboxError('outbox/refused', `the node did not take transaction "${id}": ${detail}`, data);
    case 'replaced':
      return new OutboxError(
        'outbox/nonce-taken',
        `transaction "${id}" can no longer be mined, ${detail}: give this program a wallet of its own`,
        data,
      );
  }
}

function stopped(id: string): OutboxError {
  return new OutboxError('outbox/stopped', `the outbox was stopped before transaction "${id}" was confirmed`, { id });
}
