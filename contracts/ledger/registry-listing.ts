import type { Interface, LogDescription } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';
import { type Announcement, readAnnouncement } from './registry-announcement.ts';

/** A job as its registration tells of it. */
export interface ListedJob {
  /** Its identifier in the Registry. */
  readonly id: Hex;
  /** Its RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Who owned the registration at first, lower case. */
  readonly owner: Hex;
  /**
   * Who sent the registration, lower case: its coordinator or guardian then. Absent where another contract called the
   * Registry, so that nobody's signature says who it was.
   */
  readonly registrant?: Hex;
  /** Block of the registration. */
  readonly blockNumber: number;
  /** What was said beside it, where anything was. */
  readonly announcement?: Announcement;
}

/** A model as its publication tells of it. */
export interface ListedModel {
  /** Its identifier in the Registry. */
  readonly model: Hex;
  /** Its job's identifier there. */
  readonly job: Hex;
  /** The round it is from. */
  readonly round: number;
  /** Its root. */
  readonly modelRoot: Hex;
  /** Block of the publication. */
  readonly blockNumber: number;
}

/** Where to look. */
export interface ListingOptions {
  /** The chain. */
  readonly rpc: Rpc;
  /** The Registry. */
  readonly registry: Hex;
  /** First block that may hold an entry; default 0. */
  readonly fromBlock?: number;
  /** Blocks asked for at once; default 5,000. Nodes limit this. */
  readonly logRangeBlocks?: number;
}

interface Log {
  readonly topics: Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
}

/** What a look at the Registry found. */
export interface Listing<Entry> {
  /** Entries in the order in which they were made. */
  readonly entries: readonly Entry[];
  /** The next look may begin here: the last blocks are looked at again, as they may be reorganized. */
  readonly nextBlock: number;
}

/** Blocks that a later look goes back over. */
const OVERLAP_BLOCKS = 64;

/**
 * Lists the jobs that were registered, from the events. What is true of a job now is for its contracts to say.
 *
 * @throws LedgerError `ledger/unreachable`, `ledger/refused`
 */
export async function listJobs(options: ListingOptions): Promise<Listing<ListedJob>> {
  const { rpc } = options;
  const registry = options.registry.toLowerCase() as Hex;
  const { abi } = loadArtifact('Registry');
  const { logs, nextBlock } = await readLogs(options, abi, 'JobRegistered');
  const entries: ListedJob[] = [];
  for (const { log, event } of logs) {
    const transaction = (await rpc.call('eth_getTransactionByHash', [log.transactionHash])) as Transaction | null;
    const isDirect = transaction?.to?.toLowerCase() === registry;
    const said = isDirect ? readAnnouncement(abi, 'register', transaction.input) : undefined;
    const { id, anchor, manifestHash, owner } = event.args.toObject() as Record<string, Hex>;
    entries.push({
      ...{ id: id as Hex, anchor: lower(anchor), manifestHash: manifestHash as Hex, owner: lower(owner) },
      blockNumber: quantity(log.blockNumber),
      ...(isDirect && { registrant: lower(transaction.from) }),
      ...(said && { announcement: said }),
    });
  }
  return { entries, nextBlock };
}

/**
 * Lists the models that were published, from the events.
 *
 * @throws LedgerError `ledger/unreachable`, `ledger/refused`
 */
export async function listModels(options: ListingOptions): Promise<Listing<ListedModel>> {
  const { logs, nextBlock } = await readLogs(options, loadArtifact('Registry').abi, 'ModelPublished');
  const entries = logs.map(({ log, event: { args } }) => ({
    ...{ model: args['model'], job: args['id'], round: Number(args['round']), modelRoot: args['modelRoot'] },
    blockNumber: quantity(log.blockNumber),
  }));
  return { entries, nextBlock };
}

interface Transaction {
  readonly from: Hex;
  readonly to: Hex | null;
  readonly input: Hex;
}

async function readLogs(options: ListingOptions, abi: Interface, name: string) {
  const { rpc, registry, fromBlock = 0, logRangeBlocks = 5000 } = options;
  const last = quantity(await rpc.call('eth_blockNumber', []));
  const topic = abi.getEvent(name)?.topicHash;
  const logs: { readonly log: Log; readonly event: LogDescription }[] = [];
  for (let from = fromBlock; from <= last; from += logRangeBlocks) {
    const range = { fromBlock: toQuantity(from), toBlock: toQuantity(Math.min(last, from + logRangeBlocks - 1)) };
    const found = (await rpc.call('eth_getLogs', [{ address: registry, topics: [topic], ...range }])) as Log[];
    for (const log of found) {
      const event = abi.parseLog(log);
      if (event !== null) logs.push({ log, event });
    }
  }
  return { logs, nextBlock: Math.max(fromBlock, last - OVERLAP_BLOCKS) };
}

function lower(address: string | undefined): Hex {
  return (address ?? '0x').toLowerCase() as Hex;
}
