import type { Ledger } from '../contracts/ledger/ledger.ts';
import { anchoringId, type LedgerWriter } from '../contracts/ledger/ledger-writer.ts';
import type { Outbox } from '../contracts/outbox/outbox.ts';
import { quantity, type Rpc } from '../contracts/rpc.ts';
import type { Hex } from '../shared/bytes.ts';
import { recordHash } from '../shared/commitments/record.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Anchor } from './runner.ts';

/** Thrown when the chain has another record in the place of one that is to be anchored. */
export class AnchorError extends FedanchorError<'coordinator/behind-chain'> {}

/**
 * The way back of a record that is on its way to the chain, once the chain has taken back the round before it. It resolves
 * when the chain can take it no more: it was mined in vain, or something else was in its place.
 *
 * @throws OutboxError, LedgerError
 */
export function createWithdrawal(
  outbox: Pick<Outbox, 'status' | 'cancel'>,
  anchor: Hex,
): (round: number, attempt: number) => Promise<void> {
  return async (round, attempt) => {
    const id = anchoringId(anchor, round, attempt);
    if (outbox.status().pending.some((pending) => pending.id === id)) await outbox.cancel(id);
  };
}

/** How the writer says that the contract does not take a record, or did not when its transaction was mined. */
const NOT_TAKEN: readonly string[] = ['ledger/reverted', 'outbox/reverted', 'outbox/nonce-taken'];

/**
 * The way of records to the chain. The outbox sends each once; where it was lost, with a disk or because the job was
 * restored from a backup, a record that the contract does not take again is looked for on the chain and found there.
 *
 * @throws AnchorError `coordinator/behind-chain` if the chain has another record for the round; what the writer throws
 */
export function createAnchor(
  writer: Pick<LedgerWriter, 'anchor'>,
  ledger: Pick<Ledger, 'latestRound' | 'records'>,
  rpc: Pick<Rpc, 'call'>,
): Anchor {
  return async (record) => {
    try {
      const { transactionHash, blockNumber, gasUsed } = await writer.anchor(record);
      return { transactionHash, blockNumber, gasUsed: String(gasUsed) };
    } catch (error) {
      if (!(error instanceof FedanchorError) || !NOT_TAKEN.includes(error.code)) throw error;
      // One question, where reading every record takes many: a paused contract is asked again every second.
      if ((await ledger.latestRound()) < record.round) throw error;
      const anchored = (await ledger.records())[record.round - 1];
      if (anchored === undefined) throw error;
      const { transactionHash, blockNumber } = anchored;
      if (recordHash(anchored.record) !== recordHash(record)) {
        throw new AnchorError(
          'coordinator/behind-chain',
          `the chain has another record of round ${record.round}, in ${transactionHash}: this job was restored from a ` +
            'backup older than that, restore a later one',
          { round: record.round, attempt: record.attempt, transactionHash },
          error,
        );
      }
      const receipt = (await rpc.call('eth_getTransactionReceipt', [transactionHash])) as { gasUsed: string } | null;
      // Lost since in a reorganization, or dropped by a node that keeps no receipts for long.
      if (receipt === null) throw error;
      return { transactionHash, blockNumber, gasUsed: String(quantity(receipt.gasUsed)) };
    }
  };
}
