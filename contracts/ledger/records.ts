import type { Interface } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { genesisHead, nextHead, type RoundRecord, recordHash } from '../../shared/commitments/record.ts';
import { loadArtifact } from '../artifacts.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';
import { callView } from './call.ts';
import type { JobFacts } from './facts.ts';
import { LedgerError } from './ledger-error.ts';
import { recordFromAbi } from './record-codec.ts';

/** A record that is part of a job's chain now. */
export interface AnchoredRecord {
  /** The record. */
  readonly record: RoundRecord;
  /** Head of the hash chain after it, 26 bytes. */
  readonly head: Hex;
  /** Transaction that anchored it. */
  readonly transactionHash: Hex;
  /** Number of its block. */
  readonly blockNumber: number;
  /** Hash of its block. */
  readonly blockHash: Hex;
}

interface Log {
  readonly topics: Hex[];
  readonly data: Hex;
  readonly transactionHash: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
}

const TRIES = 3;

/**
 * Reads the job's records from the events, up to one block, and holds them to the contract: every head is recomputed
 * from the genesis, rewound rounds are dropped, and the last head must be the one the contract stores.
 *
 * @param logRangeBlocks - blocks asked for at once; nodes limit this
 * @throws LedgerError `ledger/inconsistent` if events and contract disagree, `ledger/unreachable`, `ledger/refused`
 */
export async function readRecords(rpc: Rpc, facts: JobFacts, logRangeBlocks: number): Promise<AnchoredRecord[]> {
  // A reorganization between two questions looks like a contradiction; asking again tells them apart.
  for (let tries = 1; ; tries++) {
    try {
      return await readOnce(rpc, facts, logRangeBlocks);
    } catch (error) {
      if (tries === TRIES || !(error instanceof LedgerError && error.code === 'ledger/inconsistent')) throw error;
    }
  }
}

async function readOnce(rpc: Rpc, facts: JobFacts, logRangeBlocks: number): Promise<AnchoredRecord[]> {
  const abi = loadArtifact('RoundAnchor').abi;
  const last = quantity(await rpc.call('eth_blockNumber', []));
  const logs = await readLogs(rpc, abi, facts, last, logRangeBlocks);
  const chain = foldLogs(abi, facts, logs);
  const round = chain.length;
  const head = chain.at(-1)?.head ?? genesisHead(facts);
  const at = toQuantity(last);
  const [[stored], [latest]] = await Promise.all([
    callView(rpc, abi, facts.anchor, 'headOf', [round], at),
    callView(rpc, abi, facts.anchor, 'latestRound', [], at),
  ]);
  if (stored !== head || latest !== BigInt(round)) {
    throw inconsistent(facts, round, `the contract stores ${stored} for round ${round}, its latest is ${latest}`);
  }
  return chain;
}

async function readLogs(rpc: Rpc, abi: Interface, facts: JobFacts, last: number, range: number): Promise<Log[]> {
  const topics = ['RoundAnchored', 'RoundsRewound'].map((name) => abi.getEvent(name)?.topicHash);
  const logs: Log[] = [];
  for (let from = facts.deploymentBlock; from <= last; from += range) {
    const to = Math.min(last, from + range - 1);
    const filter = { address: facts.anchor, topics: [topics], fromBlock: toQuantity(from), toBlock: toQuantity(to) };
    logs.push(...((await rpc.call('eth_getLogs', [filter])) as Log[]));
  }
  return logs;
}

/** Follows the events: each anchored record extends the chain, each rewind cuts it. */
function foldLogs(abi: Interface, facts: JobFacts, logs: readonly Log[]): AnchoredRecord[] {
  const chain: AnchoredRecord[] = [];
  for (const log of logs) {
    const event = abi.parseLog(log);
    if (event?.name === 'RoundsRewound') {
      chain.length = Math.min(chain.length, Number(event.args['firstRound']) - 1);
    } else if (event?.name === 'RoundAnchored') {
      const record = recordFromAbi(event.args['record']);
      if (record.round !== chain.length + 1) {
        throw inconsistent(facts, record.round, `its event follows round ${chain.length}`);
      }
      const head = nextHead(chain.at(-1)?.head ?? genesisHead(facts), recordHash(record));
      if (head !== event.args['head']) {
        throw inconsistent(facts, record.round, `its event says ${event.args['head']}, the record gives ${head}`);
      }
      chain.push({
        record,
        head,
        transactionHash: log.transactionHash,
        blockNumber: quantity(log.blockNumber),
        blockHash: log.blockHash,
      });
    }
  }
  return chain;
}

function inconsistent(facts: JobFacts, round: number, finding: string): LedgerError {
  return new LedgerError(
    'ledger/inconsistent',
    `the events of ${facts.anchor} and its hash chain disagree at round ${round}: ${finding}; ask another node`,
    { anchor: facts.anchor, round },
  );
}
