import type { LogDescription } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';

/** An event of the court. */
export interface CourtLog {
  /** The event, decoded. */
  readonly event: LogDescription;
  /** Its block. */
  readonly blockNumber: number;
  /** Its transaction. */
  readonly transactionHash: Hex;
}

interface RawLog {
  readonly address: Hex;
  readonly topics: Hex[];
  readonly data: Hex;
  readonly transactionHash: Hex;
  readonly blockNumber: Hex;
}

/** Which events of the court to read. */
export interface CourtLogRequest {
  /** The node. */
  readonly rpc: Rpc;
  /** Address of the Disputes contract. */
  readonly address: Hex;
  /** Names of the events. */
  readonly names: readonly string[];
  /** First block. */
  readonly fromBlock: number;
  /** Blocks asked for at once. */
  readonly logRangeBlocks: number;
  /** Only those of one dispute; they must all have its number first. */
  readonly id?: bigint;
}

/** Reads events up to the latest block, oldest first. */
export async function readCourtLogs(request: CourtLogRequest): Promise<CourtLog[]> {
  const { rpc, address, names, fromBlock, logRangeBlocks, id } = request;
  const { abi } = loadArtifact('Disputes');
  const topics = [
    names.map((name) => abi.getEvent(name)?.topicHash),
    ...(id === undefined ? [] : [`0x${id.toString(16).padStart(64, '0')}`]),
  ];
  const last = quantity(await rpc.call('eth_blockNumber', []));
  const logs: CourtLog[] = [];
  for (let from = fromBlock; from <= last; from += logRangeBlocks) {
    const to = Math.min(last, from + logRangeBlocks - 1);
    const filter = { address, topics, fromBlock: toQuantity(from), toBlock: toQuantity(to) };
    for (const log of (await rpc.call('eth_getLogs', [filter])) as RawLog[]) {
      const event = abi.parseLog(log);
      if (event === null) continue;
      logs.push({ event, blockNumber: quantity(log.blockNumber), transactionHash: log.transactionHash });
    }
  }
  return logs;
}

/** The court's events of one transaction; none if it is not mined. */
export async function receiptLogs(rpc: Rpc, address: Hex, transactionHash: Hex): Promise<LogDescription[]> {
  const receipt = (await rpc.call('eth_getTransactionReceipt', [transactionHash])) as { logs: RawLog[] } | null;
  const own = (receipt?.logs ?? []).filter((log) => log.address.toLowerCase() === address);
  return own.flatMap((log) => loadArtifact('Disputes').abi.parseLog(log) ?? []);
}
