import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import { blockAt, finalizedNumber } from '../outbox/chain.ts';
import { type Rpc, toQuantity } from '../rpc.ts';
import { callView } from './call.ts';

/** Rounds that a job's chain has taken back. */
export interface Rewind {
  /** Earliest of them. */
  readonly firstRound: number;
  /** Latest of them. */
  readonly lastRound: number;
  /** Lowest attempt that the next record may carry; it rises with every rewind. */
  readonly minAttempt: number;
}

/** Where to look for rewinds. */
export interface RewindOptions {
  /** The node. */
  readonly rpc: Rpc;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** Block of its deployment. */
  readonly deploymentBlock: number;
  /** Blocks that must hold a rewind before it counts, its own included; or the chain's own finality. */
  readonly confirmations: number | 'finalized';
  /** Blocks asked for at once; default 5,000. */
  readonly logRangeBlocks?: number;
}

/**
 * The rewinds of a job that are deep enough to count and later than the one that is known. Where there is none, which is
 * nearly always, one question to the contract's state settles it; the events are read only where there is one.
 *
 * @param known - `minAttempt` of the latest rewind known; 0 for none
 * @returns in the order in which they happened
 * @throws LedgerError
 */
export async function readRewindsSince(options: RewindOptions, known: number): Promise<Rewind[]> {
  const { rpc, anchor, deploymentBlock, confirmations, logRangeBlocks = 5000 } = options;
  const { abi } = loadArtifact('RoundAnchor');
  const last = await settledBlock(rpc, confirmations);
  if (last < deploymentBlock) return [];
  const [minAttempt] = await callView(rpc, abi, anchor, 'minAttempt', [], toQuantity(last));
  if (Number(minAttempt) <= known) return [];
  const rewinds: Rewind[] = [];
  for (let from = deploymentBlock; from <= last; from += logRangeBlocks) {
    const to = Math.min(last, from + logRangeBlocks - 1);
    const topics = [abi.getEvent('RoundsRewound')?.topicHash];
    const filter = { address: anchor, topics, fromBlock: toQuantity(from), toBlock: toQuantity(to) };
    for (const log of (await rpc.call('eth_getLogs', [filter])) as { topics: Hex[]; data: Hex }[]) {
      const event = abi.parseLog(log);
      if (event === null) continue;
      const rewind = {
        firstRound: Number(event.args['firstRound']),
        lastRound: Number(event.args['lastRound']),
        minAttempt: Number(event.args['minAttempt']),
      };
      if (rewind.minAttempt > known) rewinds.push(rewind);
    }
  }
  return rewinds;
}

/** Number of the latest block that is deep enough to count; negative if there is none. */
async function settledBlock(rpc: Rpc, confirmations: number | 'finalized'): Promise<number> {
  if (confirmations === 'finalized') return finalizedNumber(rpc);
  const head = await blockAt(rpc, 'latest');
  return head === undefined ? -1 : head.number - Math.max(confirmations, 1) + 1;
}
