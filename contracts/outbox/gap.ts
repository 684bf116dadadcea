import { broadcast, transactionCount } from './chain.ts';
import { type OutboxContext, usualFees } from './context.ts';
import { gasLimitOf } from './fees.ts';
import type { OutboxRow } from './outbox-store.ts';
import { signTransaction } from './transaction.ts';

const PREFIX = 'outbox:gap:';

/** Whether a row only fills a nonce that nothing else used. */
export function isGapFiller({ id }: OutboxRow): boolean {
  return id.startsWith(PREFIX);
}

/** Watches for a nonce that nobody uses, in front of rows that therefore cannot be mined. */
export interface GapWatch {
  /** Fills such a nonce with a transaction that does nothing, once it has been seen for long enough. */
  fill(nextNonce: number): Promise<void>;
}

/**
 * A gap opens when a foreign transaction that a row made way for is itself lost in a reorganization, or when a node
 * forgets one that it had counted. Every row behind it would wait for ever.
 *
 * @param looks - looks in a row before it is filled
 */
export function createGapWatch(context: OutboxContext, looks: number): GapWatch {
  const { rpc, wallet, chainId, rows, funds, notices } = context;
  let seen = { nonce: -1, looks: 0 };
  return {
    async fill(nextNonce) {
      const pending = rows.pending();
      const [first] = pending;
      if (first === undefined || first.nonce <= nextNonce) {
        notices.clear('gap');
        seen = { nonce: -1, looks: 0 };
        return;
      }
      seen = { nonce: nextNonce, looks: seen.nonce === nextNonce ? seen.looks + 1 : 1 };
      if (seen.looks < looks) return;
      if ((await transactionCount(rpc, wallet.address, 'pending')) > nextNonce) {
        const message = `transactions wait for nonce ${nextNonce}, which another program's transaction holds: give this program a wallet of its own`;
        const data = { nonce: nextNonce };
        notices.raise('gap', { type: 'nonceTaken', level: 'warn', code: 'outbox/nonce-taken', message, data });
        return;
      }
      const call = { to: wallet.address, data: '0x', value: 0n } as const;
      const gasLimit = await gasLimitOf(rpc, wallet.address, call);
      const fees = await usualFees(context);
      if ((await funds.cover(gasLimit * fees.maxFeePerGas)) !== undefined) return;
      const { raw, hash } = signTransaction(wallet, call, { chainId, nonce: nextNonce, gasLimit, ...fees });
      const id = `${PREFIX}${nextNonce}:${hash}`;
      await rows.keep({
        ...{ id, nonce: nextNonce, rawTransaction: raw, hashes: [hash] },
        ...{ signedAtMs: context.now(), state: 'pending' },
      });
      const message = `nothing used nonce ${nextNonce}, and later transactions wait for it: it is filled with one that does nothing`;
      notices.tell({ type: 'gapFilled', level: 'warn', message, data: { nonce: nextNonce, transactionHash: hash } });
      await broadcast(rpc, raw);
    },
  };
}
