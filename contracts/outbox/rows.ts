import type { Hex } from '../../shared/bytes.ts';
import { stopped } from './failure.ts';
import type { FailedRow, OutboxRow, OutboxStore, PendingRow, ReceiptSummary } from './outbox-store.ts';
import { readTransaction } from './transaction.ts';

/** A row of which a transaction was mined. */
export type MinedRow = OutboxRow & {
  /** What the chain said. */
  readonly receipt: ReceiptSummary;
};

/** The rows of one wallet, at hand; what is kept is kept in the store first. */
export interface Rows {
  /** Reads every row of an earlier process. */
  load(): Promise<void>;
  /** The row with this id. */
  get(id: string): OutboxRow | undefined;
  /**
   * Writes a row to the store, then takes it in.
   *
   * @throws OutboxError `outbox/stopped`, and what the store throws
   */
  keep<Row extends OutboxRow>(row: Row): Promise<Row>;
  /** Pending rows in order of nonces. */
  pending(): readonly PendingRow[];
  /** Rows of which a transaction was mined, the highest block first. */
  mined(): readonly MinedRow[];
  /** The first nonce after all that these rows use or have used. */
  nextNonce(): number;
  /** Most that pending rows can take from the wallet, in wei. */
  committedWei(): bigint;
  /** Hashes of a row that no other row shares. */
  ownHashes(row: OutboxRow): readonly Hex[];
}

/**
 * The rows in a store. Once the signal is aborted nothing more is kept, hence nothing more signed and sent: the store may
 * belong to another outbox by then.
 */
export function createRows(store: OutboxStore, signal?: AbortSignal): Rows {
  const rows = new Map<string, OutboxRow>();
  // Rows of years are asked for a few times a second: they are sorted again only when one of them has changed.
  let sorted: { pending: PendingRow[]; mined: MinedRow[] } | undefined;
  const sort = () => {
    sorted ??= {
      pending: [...rows.values()].filter((row) => row.state === 'pending').sort((a, b) => a.nonce - b.nonce),
      mined: [...rows.values()].filter(isMined).sort((a, b) => b.receipt.blockNumber - a.receipt.blockNumber),
    };
    return sorted;
  };
  return {
    async load() {
      for (const row of await store.all()) rows.set(row.id, row);
      sorted = undefined;
    },
    get: (id) => rows.get(id),
    async keep(row) {
      if (signal?.aborted) throw stopped(row.id);
      await store.put(row);
      rows.set(row.id, row);
      sorted = undefined;
      return row;
    },
    pending: () => sort().pending,
    mined: () => sort().mined,
    nextNonce() {
      let next = 0;
      for (const row of rows.values())
        if (row.state === 'pending' || isMined(row)) next = Math.max(next, row.nonce + 1);
      return next;
    },
    committedWei: () => sort().pending.reduce((sum, row) => sum + readTransaction(latestRaw(row)).costWei, 0n),
    // Two ids with the same call, one after the other on a freed nonce, are byte for byte the same transaction.
    ownHashes(row) {
      const others = [...rows.values()].filter(({ id }) => id !== row.id);
      return row.hashes.filter((hash) => !others.some(({ hashes }) => hashes.includes(hash)));
    },
  };
}

/** What was signed last for a row's nonce: its cancellation, once there is one. */
export function latestRaw({ rawTransaction, cancellation }: OutboxRow): Hex {
  return cancellation?.rawTransaction ?? rawTransaction;
}

/** A row as it was before anything of it was mined, or before it was written off. */
export function pendingAgain(row: OutboxRow, hashes: readonly Hex[] = row.hashes): PendingRow {
  const { id, nonce, rawTransaction, reverted, signedAtMs, cancellation } = row;
  return {
    ...{ id, nonce, rawTransaction, hashes, state: 'pending' },
    ...(reverted === undefined ? {} : { reverted }),
    ...(signedAtMs === undefined ? {} : { signedAtMs }),
    ...(cancellation === undefined ? {} : { cancellation }),
  };
}

/** pending -> failed */
export function failedRow(
  row: PendingRow,
  reason: FailedRow['reason'],
  detail: string,
  receipt?: ReceiptSummary,
): FailedRow {
  return { ...row, state: 'failed', reason, detail, ...(receipt === undefined ? {} : { receipt }) };
}

function isMined(row: OutboxRow): row is MinedRow {
  return row.state !== 'pending' && row.receipt !== undefined;
}
