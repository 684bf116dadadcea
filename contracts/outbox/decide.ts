import type { Mined } from './chain.ts';
import type { ReceiptSummary } from './outbox-store.ts';

/** What is known of a pending row after one look at the chain. */
export interface Sight {
  /** The row's nonce. */
  readonly nonce: number;
  /** The wallet's next nonce at the latest block. */
  readonly nextNonce: number;
  /** Number of the latest block that is deep enough to count; negative if there is none. */
  readonly settledBlock: number;
  /** Whichever of the row's transactions is mined, and whether it is a cancellation. */
  readonly mined?: Mined & {
    /** Whether it is one that was signed to do nothing. */
    readonly cancels: boolean;
  };
  /** The wallet's next nonce at the settled block; asked for only where the nonce is used and nothing of the row is mined. */
  readonly settledNextNonce?: number;
  /** Whether the node still has one of the row's transactions; asked for in the same case. */
  readonly held?: boolean;
  /** Looks in a row, this one included, in which the nonce was used and nothing of the row was mined. */
  readonly looksGone: number;
  /** Blocks since the row's latest transaction became the next one to be mined. */
  readonly waitedBlocks: number;
  /** Whether the node found its fees too low to keep it. */
  readonly underpriced: boolean;
  /** Whether it is time to broadcast again what is waiting. */
  readonly broadcastDue: boolean;
}

/** When a row that waits is helped along. */
export interface Patience {
  /** Blocks that may pass the next transaction by before its fees are raised. */
  readonly bumpAfterBlocks: number;
  /** Looks before a nonce counts as taken: nodes behind one address may lag behind each other. */
  readonly looksBeforeTaken: number;
}

/** What to do next with a pending row. */
export type Move =
  | {
      /** Nothing but to look again. */
      readonly type: 'wait';
    }
  | {
      /** Broadcast what is signed, as it is. */
      readonly type: 'broadcast';
    }
  | {
      /** Replace what is signed with the same at higher fees, where the ceiling allows. */
      readonly type: 'raise';
    }
  | {
      /** Another transaction has the nonce for good: sign again with the next one. */
      readonly type: 'signAgain';
    }
  | {
      /** It is done; it is done but failed; or its cancellation was mined instead. */
      readonly type: 'confirm' | 'revert' | 'cancel';
      /** What the chain said. */
      readonly receipt: ReceiptSummary;
    };

/**
 * What to do next with a pending row. Nothing is settled by a block that is not deep enough, and a row is signed for
 * another nonce only when its own is used by someone else in a block that is: before that the other transaction may
 * vanish and this one be mined after all, and it would be done twice.
 */
export function decide(sight: Sight, { bumpAfterBlocks, looksBeforeTaken }: Patience): Move {
  const { nonce, nextNonce, settledBlock, mined } = sight;
  if (mined !== undefined) {
    const { receipt } = mined;
    if (receipt.blockNumber > settledBlock) return { type: 'wait' };
    if (mined.cancels) return { type: 'cancel', receipt };
    return { type: mined.succeeded ? 'confirm' : 'revert', receipt };
  }
  if (nextNonce > nonce) {
    const taken = (sight.settledNextNonce ?? 0) > nonce && sight.held === false;
    return { type: taken && sight.looksGone >= looksBeforeTaken ? 'signAgain' : 'wait' };
  }
  // Fees matter only to the one that is next.
  const stuck = sight.underpriced || sight.waitedBlocks >= bumpAfterBlocks;
  if (nextNonce === nonce && stuck) return { type: 'raise' };
  return { type: sight.broadcastDue ? 'broadcast' : 'wait' };
}
