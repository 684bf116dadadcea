import { DeployError } from '../../contracts/deploy/deploy-error.ts';
import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import type { Registry } from '../../contracts/ledger/registry.ts';
import { type ListedJob, listJobs } from '../../contracts/ledger/registry-listing.ts';
import { connectStakes, type Stakes } from '../../contracts/ledger/stakes.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import type { Hex } from '../../shared/bytes.ts';
import { coordinatorAddress } from './coordinator-address.ts';
import type { JobView } from './job-view.ts';
import type { Policy } from './policy.ts';

/** A job with the means to look further into it. */
export interface Found {
  /** What the chain says. */
  readonly view: JobView;
  /** What it was created with. */
  readonly facts: JobFacts;
  /** Its contracts. */
  readonly ledger: Ledger;
  /** Its RewardVault, lower case. */
  readonly vault: Hex;
  /** Its StakeManager; undefined in a job without a court. */
  readonly stakes: Stakes | undefined;
  /** What the agent holds of the job's token. */
  readonly balance: bigint;
}

/** The chain as an agent looks at it. */
export interface AgentChain {
  /** Jobs that were registered since the last look, and those of the last blocks again. */
  find(): Promise<readonly ListedJob[]>;
  /** What the chain says of a job now; undefined where it is no job at all. */
  look(listed: ListedJob): Promise<Found | undefined>;
}

/** What an agent looks with. */
export interface AgentChainOptions {
  /** The chain. */
  readonly rpc: Rpc;
  /** The Registry. */
  readonly registry: Registry;
  /** First block to look at. */
  readonly fromBlock: number;
  /** The agent's account, lower case. */
  readonly account: Hex;
  /** Says where coordinators are. */
  readonly policy: Policy;
}

/** Looks at the Registry and at jobs for one agent. */
export function createAgentChain({ rpc, registry, fromBlock, account, policy }: AgentChainOptions): AgentChain {
  let nextBlock = fromBlock;
  /** Code and constructor's terms never change. */
  const genuine = new Map<Hex, boolean>();
  const isGenuine = async (facts: JobFacts, stakes: Hex | undefined): Promise<boolean> => {
    if (stakes === undefined) return true;
    const known = genuine.get(facts.anchor);
    if (known !== undefined) return known;
    const holds = await verifyCourt(rpc, { anchor: facts.anchor, stakes, disputes: facts.arbiter }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof DeployError) return false;
        throw error;
      },
    );
    genuine.set(facts.anchor, holds);
    return holds;
  };
  return {
    async find() {
      const listing = await listJobs({ rpc, registry: registry.address, fromBlock: nextBlock });
      ({ nextBlock } = listing);
      return listing.entries;
    },
    async look({ id, anchor, registrant, announcement }) {
      const entry = await registry.job(id);
      if (entry === undefined) return undefined;
      const ledger = await connectLedger({ rpc, anchor, vault: entry.vault });
      const facts = await ledger.facts();
      const roster = /^0x0*$/.test(facts.roster) ? undefined : facts.roster;
      const stakes = roster === undefined ? undefined : await connectStakes({ rpc, stakes: roster });
      const [vault, anchored, balance, terms, own] = await Promise.all([
        ...([ledger.vaultFacts(), ledger.latestRound(), ledger.balanceOf(account)] as const),
        ...([stakes?.terms(), stakes?.stakeOf(account)] as const),
      ]);
      const view: JobView = {
        ...{ id, anchor, manifestHash: facts.manifestHash, registrant, coordinator: facts.coordinator },
        ...{ token: vault.token, pricePerRound: facts.pricePerRound, rounds: facts.maxRounds, anchored },
        unearned: vault.funded - vault.refunded - facts.pricePerRound * BigInt(anchored),
        ...{ minStake: terms?.minStake ?? 0n, staked: own?.amount ?? 0n },
        isLeaving: (own?.exitRequestedAtS ?? 0) > 0,
        isGenuine:
          terms === undefined || terms.token.toLowerCase() === vault.token ? await isGenuine(facts, roster) : false,
        coordinatorUrl: coordinatorAddress(policy, facts.coordinator, announcement?.coordinatorUrl),
      };
      return { view, facts, ledger, vault: entry.vault, stakes, balance };
    },
  };
}
