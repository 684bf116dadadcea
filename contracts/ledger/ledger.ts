import type { Hex } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { loadArtifact } from '../artifacts.ts';
import { connectRpc, type Rpc } from '../rpc.ts';
import { callView, requireCode } from './call.ts';
import { type JobFacts, readJobFacts, readVaultFacts, type VaultFacts } from './facts.ts';
import { LedgerError } from './ledger-error.ts';
import { type AnchoredRecord, readRecords } from './records.ts';

/** Where a job is on a chain. */
export interface LedgerOptions {
  /** Address of the node; not needed where `rpc` is given. */
  readonly rpcUrl?: string;
  /** A node that is connected already. */
  readonly rpc?: Rpc;
  /** Address of the job's RoundAnchor. */
  readonly anchor: Hex;
  /** Address of the job's RewardVault, where rewards are of interest. */
  readonly vault?: Hex;
  /** The chain it must be (EIP-155). */
  readonly chainId?: bigint;
  /** Blocks asked for at once when reading events; default 5,000. */
  readonly logRangeBlocks?: number;
  /** Ends every call in progress. */
  readonly signal?: AbortSignal;
}

/** The window state of one round. */
export interface Finality {
  /** Whether the contract's ring holds the round now. */
  readonly anchored: boolean;
  /** From when on it is final, in seconds since 1970 by the chain's clock; 0 if not anchored. */
  readonly finalAtS: number;
}

/** What keeps rounds from being final beside their windows. */
export interface AnchorProgress {
  /** Last attested round. */
  readonly attested: number;
  /** Earliest disputed round; 0 if there is none. */
  readonly heldFrom: number;
  /** Last round that can be final by the two of them. */
  readonly limit: number;
}

/** The read side of a job's contracts: everything an auditor trusts. */
export interface Ledger {
  /** The node. */
  readonly rpc: Rpc;
  /** What the job was created with, and its present coordinator. */
  facts(): Promise<JobFacts>;
  /** Every record that is part of the chain now, in order of rounds, each held to the contract's heads. */
  records(): Promise<AnchoredRecord[]>;
  /** Head after a round, 26 bytes; undefined where the ring does not hold the round. Round 0 is the genesis. */
  headOf(round: number): Promise<Hex | undefined>;
  /** Latest anchored round, 0 before the first. */
  latestRound(): Promise<number>;
  /** Whether exactly this record is anchored and its window has passed. */
  isFinal(record: RoundRecord): Promise<boolean>;
  /** When a round's window ends. */
  finality(round: number): Promise<Finality>;
  /** How far rounds can be final by attestations and disputes, whatever their windows say. */
  progress(): Promise<AnchorProgress>;
  /** Time of the latest block, in seconds since 1970. */
  chainTimeS(): Promise<number>;
  /** The vault's terms and sums. */
  vaultFacts(): Promise<VaultFacts>;
  /** What the vault has paid to an account, in the token's smallest unit. */
  claimed(account: Hex): Promise<bigint>;
  /** Who is paid what an account has earned, lower case: itself, or whom it has named. */
  claimerOf(account: Hex): Promise<Hex>;
  /** What an account holds of the vault's token, in its smallest unit. */
  balanceOf(account: Hex): Promise<bigint>;
  /** What an account holds of the chain's own coin, in wei. */
  weiOf(account: Hex): Promise<bigint>;
}

/**
 * Connects to a job's contracts for reading and checks that they are there.
 *
 * @throws LedgerError `ledger/unreachable`, `ledger/wrong-chain`, `ledger/not-a-contract`, `ledger/wrong-vault` (the vault
 *   pays for another anchor); vault methods throw `ledger/no-vault` where no vault was named
 */
export async function connectLedger(options: LedgerOptions): Promise<Ledger> {
  const rpc = options.rpc ?? connectRpc({ url: options.rpcUrl ?? '', ...pickSignal(options) });
  const anchor = options.anchor.toLowerCase() as Hex;
  const anchorAbi = loadArtifact('RoundAnchor').abi;
  const vaultAbi = loadArtifact('RewardVault').abi;
  await requireChain(rpc, options.chainId);
  await requireCode(rpc, anchor, 'anchor');
  const vault = options.vault?.toLowerCase() as Hex | undefined;
  let token: Hex | undefined;
  if (vault !== undefined) {
    await requireCode(rpc, vault, 'vault');
    const facts = await readVaultFacts(rpc, vault);
    if (facts.anchor !== anchor) {
      throw new LedgerError(
        'ledger/wrong-vault',
        `the vault ${vault} pays for the anchor ${facts.anchor}, not ${anchor}: check both addresses`,
        { vault, expected: anchor, found: facts.anchor },
      );
    }
    token = facts.token;
  }
  const view = async (name: string, ...parameters: unknown[]) =>
    await callView(rpc, anchorAbi, anchor, name, parameters);
  return {
    rpc,
    facts: () => readJobFacts(rpc, anchor),
    records: async () => readRecords(rpc, await readJobFacts(rpc, anchor), options.logRangeBlocks ?? 5000),
    async headOf(round) {
      const head = (await view('headOf', round))[0] as Hex;
      return /^0x0*$/.test(head) ? undefined : head;
    },
    latestRound: async () => Number((await view('latestRound'))[0]),
    isFinal: async (record) => (await view('isFinal', record))[0],
    async finality(round) {
      const [anchored, finalAt] = await view('finality', round);
      return { anchored, finalAtS: Number(finalAt) };
    },
    async progress() {
      const [attested, heldFrom, limit] = await view('progress');
      return { attested: Number(attested), heldFrom: Number(heldFrom), limit: Number(limit) };
    },
    async chainTimeS() {
      const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex };
      return Number(block.timestamp);
    },
    vaultFacts: () => readVaultFacts(rpc, named(vault)),
    claimed: async (account) => (await callView(rpc, vaultAbi, named(vault), 'claimed', [account]))[0],
    async claimerOf(account) {
      const [claimer] = await callView(rpc, vaultAbi, named(vault), 'claimerOf', [account]);
      return (/^0x0*$/.test(claimer) ? account : claimer).toLowerCase() as Hex;
    },
    balanceOf: async (account) =>
      (await callView(rpc, loadArtifact('FedToken').abi, named(token), 'balanceOf', [account]))[0],
    weiOf: async (account) => BigInt((await rpc.call('eth_getBalance', [account, 'latest'])) as Hex),
  };
}

async function requireChain(rpc: Rpc, expected: bigint | undefined): Promise<void> {
  const found = BigInt((await rpc.call('eth_chainId', [])) as Hex);
  if (expected === undefined || expected === found) return;
  throw new LedgerError(
    'ledger/wrong-chain',
    `the node at ${rpc.url} serves chain ${found}, not ${expected}: name another --rpc`,
    { expected: expected.toString(), found: found.toString() },
  );
}

function named(address: Hex | undefined): Hex {
  if (address !== undefined) return address;
  throw new LedgerError('ledger/no-vault', 'this ledger was connected without a vault: give the vault address');
}

function pickSignal({ signal }: LedgerOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
