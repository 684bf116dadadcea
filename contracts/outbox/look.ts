import { LedgerError } from '../ledger/ledger-error.ts';
import { createAdvancer } from './advance.ts';
import { blockAt, finalizedNumber, transactionCount } from './chain.ts';
import type { OutboxContext } from './context.ts';
import { createGapWatch } from './gap.ts';
import { createReorgWatch } from './reorg.ts';

const REBROADCAST_EVERY = 20;
const LOOKS_BEFORE_GAP = 10;

/**
 * Makes the look that is repeated for as long as the outbox lives: at the chain, at what it has lost, at each pending row
 * in order of nonces. A look that fails half-way is simply repeated: each step is kept before it is broadcast.
 *
 * @returns a function that looks once; it throws what the node, the store or the wallet throws
 */
export function createLook(context: OutboxContext): () => Promise<void> {
  const { rpc, wallet, chainId, rows, funds, confirmations } = context;
  const reorgs = createReorgWatch(context);
  const advancer = createAdvancer(context);
  const gaps = createGapWatch(context, LOOKS_BEFORE_GAP);
  let looks = 0;
  // False after a look that failed: the node may by now be another one, or one that has forgotten.
  let wentWell = false;
  let last = { url: '', hash: '', number: -1 };

  return async function look() {
    looks += 1;
    const unsure = !wentWell || rpc.url !== last.url;
    wentWell = false;
    if (unsure) await requireChain();
    const [head, nextNonce] = await Promise.all([
      blockAt(rpc, 'latest'),
      transactionCount(rpc, wallet.address, 'latest'),
    ]);
    if (head === undefined) {
      throw new LedgerError('ledger/invalid-answer', `the chain at ${rpc.url} has no latest block: is it starting?`);
    }
    if (head.number < last.number && !unsure) await requireChain();
    if (head.hash !== last.hash) await funds.refresh();
    await funds.recheck();
    const revived = await reorgs.reviveLost(head);
    const broadcastDue = unsure || revived.length > 0 || looks % REBROADCAST_EVERY === 0;
    const settledBlock =
      confirmations === 'finalized' ? await finalizedNumber(rpc) : head.number - Math.max(confirmations, 1) + 1;
    for (const row of rows.pending()) await advancer.advance(row, { head, settledBlock, nextNonce, broadcastDue });
    await gaps.fill(nextNonce);
    last = { url: rpc.url, ...head };
    wentWell = true;
  };

  async function requireChain(): Promise<void> {
    const found = BigInt((await rpc.call('eth_chainId', [])) as string);
    if (found === chainId) return;
    throw new LedgerError(
      'ledger/wrong-chain',
      `the node at ${rpc.url} serves chain ${found}, not ${chainId}: name another --rpc`,
      { url: rpc.url, expected: chainId.toString(), found: found.toString() },
    );
  }
}
