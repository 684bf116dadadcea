import type { Hex } from '../../shared/bytes.ts';

/** What a mined transaction left behind. */
export interface ReceiptSummary {
  /** Hash of the transaction that was mined. */
  readonly transactionHash: Hex;
  /** The block's number. */
  readonly blockNumber: number;
  /** The block's hash. */
  readonly blockHash: Hex;
  /** Gas paid for. */
  readonly gasUsed: number;
  /** Price of one unit of gas in wei, as a decimal string. */
  readonly gasPriceWei: string;
  /** Address of the contract this transaction created, if it created one. */
  readonly contractAddress?: Hex;
}

/** Transactions that do nothing, signed to take the nonce of one that should no longer be mined. */
export interface Cancellation {
  /** The one that was signed last. */
  readonly rawTransaction: Hex;
  /** Hashes of all of them, the latest first. */
  readonly hashes: readonly Hex[];
}

interface RowBase {
  /** The caller's idempotency key, such as `anchor:<contract>:<round>:<attempt>`. */
  readonly id: string;
  /** The wallet's transaction number. */
  readonly nonce: number;
  /** The signed transaction that was broadcast last, its cancellation aside. */
  readonly rawTransaction: Hex;
  /** Hashes of every transaction ever signed to do this, the latest first: any of them may be mined. */
  readonly hashes: readonly Hex[];
  /** Hashes of earlier transactions for this, on other nonces, that were mined deep enough but failed; oldest first. */
  readonly reverted?: readonly Hex[];
  /** When it was signed first, in ms since 1970. */
  readonly signedAtMs?: number;
  /** What competes with it for its nonce, once it has been cancelled. */
  readonly cancellation?: Cancellation;
}

/** Signed and kept, perhaps broadcast, not yet known to be mined deep enough. */
export interface PendingRow extends RowBase {
  /** Tells the members of the union apart. */
  readonly state: 'pending';
}

/** Mined successfully and as deep as asked. */
export interface ConfirmedRow extends RowBase {
  /** Tells the members of the union apart. */
  readonly state: 'confirmed';
  /** What the chain said. */
  readonly receipt: ReceiptSummary;
}

/** Not done: mined but reverted, refused by the node, cancelled, or its nonce taken by another transaction. */
export interface FailedRow extends RowBase {
  /** Tells the members of the union apart. */
  readonly state: 'failed';
  /** It has not been done, and the same id may be sent again: after `reverted` only once the call would succeed. */
  readonly reason: 'reverted' | 'refused' | 'replaced' | 'cancelled';
  /** One sentence. */
  readonly detail: string;
  /** What the chain said, where a transaction of this row was mined: the one that reverted, or the cancellation. */
  readonly receipt?: ReceiptSummary;
}

/** One intended transaction. Rows are plain data (no bigint), so that any store can keep them as JSON. */
export type OutboxRow = PendingRow | ConfirmedRow | FailedRow;

/** Where rows outlive the process. A `put` that has resolved must survive `kill -9`. */
export interface OutboxStore {
  /** Keeps a row, replacing the one with the same id. */
  put(row: OutboxRow): Promise<void>;
  /** The row with this id. */
  get(id: string): Promise<OutboxRow | undefined>;
  /** Every row, in any order. */
  all(): Promise<readonly OutboxRow[]>;
}

/** A store in memory, for tests and one-shot tools whose every transaction may safely be sent again. */
export function createMemoryOutboxStore(rows: readonly OutboxRow[] = []): OutboxStore {
  const kept = new Map(rows.map((row) => [row.id, structuredClone(row)]));
  return {
    async put(row) {
      kept.set(row.id, structuredClone(row));
    },
    async get(id) {
      return structuredClone(kept.get(id));
    },
    async all() {
      return [...kept.values()].map((row) => structuredClone(row));
    },
  };
}
