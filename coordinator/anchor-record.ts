import type { Ledger } from '../contracts/ledger/ledger.ts';
import type { LedgerWriter } from '../contracts/ledger/ledger-writer.ts';
import { quantity, type Rpc } from '../contracts/rpc.ts';
import { recordHash } from '../shared/commitments/record.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Anchor } from './runner.ts';

/** Thrown when the chain has another record in the place of one that is to be anchored. */
export class AnchorError extends FedanchorError<'coordinator/behind-chain'> {}

/** What the contract says, or has said, of a record that it does not take. */
const REVERTED: readonly string[] = ['ledger/reverted', 'outbox/reverted'];

/**
 * The way of records to the chain. The outbox sends each once; where it was lost, with a disk or because the job was
 * restored from a backup, a record that the contract does not take again is looked for on the chain and found there.
 *
 * @throws AnchorError `coordinator/behind-chain` if the chain has another record for the round; what the writer throws
 */
export function createAnchor(
  writer: Pick<LedgerWriter, 'anchor'>,
  ledger: Pick<Ledger, 'records'>,
  rpc: Pick<Rpc, 'call'>,
): Anchor {
  return async (record) => {
    try {
      const { transactionHash, blockNumber, gasUsed } = await writer.anchor(record);
      return { transactionHash, blockNumber, gasUsed: String(gasUsed) };
    } catch (error) {
      if (!(error instanceof FedanchorError) || !REVERTED.includes(error.code)) throw error;
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
      const receipt = (await rpc.call('eth_getTransactionReceipt', [transactionHash])) as { gasUsed: string };
      return { transactionHash, blockNumber, gasUsed: String(quantity(receipt.gasUsed)) };
    }
  };
}
