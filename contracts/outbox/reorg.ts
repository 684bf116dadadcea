import { type BlockId, blockAt } from './chain.ts';
import type { OutboxContext } from './context.ts';
import type { PendingRow } from './outbox-store.ts';
import { type MinedRow, pendingAgain } from './rows.ts';

/** Watches for blocks that the chain has lost. */
export interface ReorgWatch {
  /**
   * Takes up again the rows whose block is no longer part of the chain that ends in `head`.
   *
   * @returns those rows, in order of nonces
   */
  reviveLost(head: BlockId): Promise<PendingRow[]>;
}

// A node that merely lags, or a balancer in front of several, looks like a chain that has become shorter.
const LOOKS_BEFORE_SHORTER = 3;

/**
 * Blocks are linked by their hashes, so while the highest block that holds a row is part of the chain, all others are:
 * one question settles it, however many rows there are and however long ago they were mined.
 */
export function createReorgWatch({ rpc, rows, notices }: OutboxContext): ReorgWatch {
  let verified: string | undefined;
  let looksShorter = 0;

  async function lostRows(head: BlockId): Promise<MinedRow[]> {
    const lost: MinedRow[] = [];
    for (const row of rows.mined()) {
      const { blockNumber, blockHash } = row.receipt;
      if (lost.at(-1)?.receipt.blockHash !== blockHash) {
        const block = blockNumber === head.number ? head : await blockAt(rpc, blockNumber);
        // Below its head a chain has a block of every number: a node that has none there has dropped it, and knows nothing.
        const isUnknown = block === undefined && blockNumber < head.number;
        if (isUnknown || block?.hash === blockHash) break;
      }
      lost.push(row);
    }
    return lost;
  }

  return {
    async reviveLost(head) {
      const [top] = rows.mined();
      // What was confirmed since the last look is as good a reason to look as a new block.
      const key = `${head.hash} ${top?.receipt.blockHash}`;
      if (top === undefined || key === verified) return [];
      looksShorter = head.number < top.receipt.blockNumber ? looksShorter + 1 : LOOKS_BEFORE_SHORTER;
      if (looksShorter < LOOKS_BEFORE_SHORTER) return [];
      const revived: PendingRow[] = [];
      for (const row of await lostRows(head)) {
        revived.push(await rows.keep(pendingAgain(row)));
        const { id, nonce } = row;
        const { blockNumber, blockHash } = row.receipt;
        const message = `the chain has lost block ${blockNumber} with transaction "${id}": it is broadcast again`;
        notices.tell({ type: 'reorged', level: 'warn', message, data: { id, nonce, blockNumber, blockHash } });
      }
      looksShorter = 0;
      verified = revived.length === 0 ? key : undefined;
      return revived.sort((a, b) => a.nonce - b.nonce);
    },
  };
}
