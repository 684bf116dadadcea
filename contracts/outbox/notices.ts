import { LedgerError } from '../ledger/ledger-error.ts';
import type { Notice, RpcNotice } from '../rpc-notice.ts';

/** What an outbox has to tell beside the outcome of each transaction. */
export type OutboxNotice =
  | RpcNotice
  | Notice<
      | 'confirmed'
      | 'failed'
      | 'bumped'
      | 'ceilingReached'
      | 'broadcastAgain'
      | 'refused'
      | 'nonceTaken'
      | 'gapFilled'
      | 'cancelRequested'
      | 'reorged'
      | 'walletEmptied'
      | 'walletFunded'
      | 'stalled'
      | 'resumed'
    >;

/** What keeps an outbox from going on. */
export interface Trouble {
  /** Stable identifier, such as `outbox/empty-wallet`. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** Since when, in ms since 1970. */
  readonly sinceMs: number;
}

/** Tells what happens, and once only what goes on happening. */
export interface Notices {
  /** Tells of one thing that happened. */
  tell(notice: OutboxNotice): void;
  /** Tells of a lasting trouble, unless it was told of already. */
  raise(key: string, notice: OutboxNotice): void;
  /** Ends a trouble; with a notice, this is told if there was one. */
  clear(key: string, notice?: OutboxNotice): void;
  /** Whether a trouble goes on. */
  has(key: string): boolean;
  /** The trouble that began last. */
  latest(): Trouble | undefined;
}

/** Keeps book of troubles and hands notices on. A listener that throws is the listener's problem. */
export function createNotices(listener: ((notice: OutboxNotice) => void) | undefined, now: () => number): Notices {
  const troubles = new Map<string, Trouble>();
  const tell = (notice: OutboxNotice): void => {
    try {
      listener?.(notice);
    } catch {
      // A logger that fails must not keep a transaction from being sent.
    }
  };
  return {
    tell,
    raise(key, notice) {
      const code = notice.code ?? notice.type;
      if (troubles.get(key)?.code === code) return;
      troubles.delete(key);
      troubles.set(key, { code, message: notice.message, sinceMs: now() });
      tell(notice);
    },
    clear(key, notice) {
      if (troubles.delete(key) && notice !== undefined) tell(notice);
    },
    has: (key) => troubles.has(key),
    latest: () => [...troubles.values()].at(-1),
  };
}

/** The code of an error, where it has one. */
export function codeOf(error: unknown): string {
  if (error instanceof LedgerError) return error.code;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'outbox/unexpected';
}
