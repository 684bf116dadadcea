import type { AnchoredRound } from '../../../client/auditor/chain-position.ts';
import type { FollowerOptions } from '../../../client/auditor/round-follower.ts';
import type { Hex } from '../../../shared/bytes.ts';
import type { History } from './history.ts';

/** A chain that says what a test tells it to. */
export interface ScriptedChain {
  /** What an auditor reads. */
  readonly ledger: FollowerOptions['ledger'];
  /** From now on these are the records. */
  show(records: readonly AnchoredRound[]): void;
  /** How often all records were read. */
  reads(): number;
}

/** Creates a chain without records. */
export function createScriptedChain(): ScriptedChain {
  let records: readonly AnchoredRound[] = [];
  let reads = 0;
  return {
    ledger: {
      records: async () => {
        reads++;
        return records.map((anchored, index) => ({
          ...anchored,
          transactionHash: `0x${'0'.repeat(64)}` as Hex,
          blockNumber: index,
          blockHash: `0x${'0'.repeat(64)}` as Hex,
        }));
      },
      latestRound: async () => records.length,
      headOf: async (round) => records[round - 1]?.head,
    },
    show: (shown) => {
      records = shown;
    },
    reads: () => reads,
  };
}

/** Everything that any of the histories has published. */
export function blobsOf(...histories: readonly History[]): Map<Hex, Uint8Array> {
  return new Map(histories.flatMap(({ blobs }) => [...blobs]));
}
