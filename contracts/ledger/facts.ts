import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';
import { callView } from './call.ts';

/** What a job was created with, as the chain tells it. */
export interface JobFacts {
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** Address of the job's RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** The job. */
  readonly job: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Hash of the part of the plan that every round repeats. */
  readonly fixedPlanHash: Hex;
  /** Root over the manifest's table of tensors. */
  readonly tensorTableRoot: Hex;
  /** Model before round 1. */
  readonly genesisModelRoot: Hex;
  /** Who anchors now, lower case. */
  readonly coordinator: Hex;
  /** Who may replace the coordinator and pause anchoring, lower case. */
  readonly guardian: Hex;
  /** Who may rewind rounds in their window, lower case; zero where nobody may. */
  readonly arbiter: Hex;
  /** Who keeps the list of those whose attestations count, lower case; zero where there is none. */
  readonly roster: Hex;
  /** Attestations that a round needs to become final; 0 where its window suffices. */
  readonly attestationQuorum: number;
  /** For how many ticks of 16 seconds after its window a round may wait for them. */
  readonly attestationTicks: number;
  /** Challenge window in ticks of 16 seconds. */
  readonly windowTicks: number;
  /** Upper bound of one round's rewards, in the token's smallest unit. */
  readonly pricePerRound: bigint;
  /** Last round there can be. */
  readonly maxRounds: number;
  /** Rounds that the ring holds. */
  readonly ringSize: number;
  /** Lowest attempt that the next record may carry. */
  readonly minAttempt: number;
  /** Block of the deployment. */
  readonly deploymentBlock: number;
  /** Time of the deployment, in seconds since 1970. */
  readonly deployedAtS: number;
}

/** Reads a job's facts. */
export async function readJobFacts(rpc: Rpc, anchor: Hex): Promise<JobFacts> {
  const abi = loadArtifact('RoundAnchor').abi;
  const [chainId, block] = await Promise.all([rpc.call('eth_chainId', []), rpc.call('eth_blockNumber', [])]);
  const at = toQuantity(quantity(block));
  const [[job], [minAttempt], [deploymentBlock, deployedAt]] = await Promise.all([
    callView(rpc, abi, anchor, 'jobParameters', [], at),
    callView(rpc, abi, anchor, 'minAttempt', [], at),
    callView(rpc, abi, anchor, 'deployment', [], at),
  ]);
  return {
    chainId: BigInt(chainId as string),
    anchor,
    job: job.job,
    manifestHash: job.manifestHash,
    fixedPlanHash: job.fixedPlanHash,
    tensorTableRoot: job.tensorTableRoot,
    genesisModelRoot: job.genesisModelRoot,
    coordinator: lower(job.coordinator),
    guardian: lower(job.guardian),
    arbiter: lower(job.arbiter),
    roster: lower(job.roster),
    attestationQuorum: Number(job.attestationQuorum),
    attestationTicks: Number(job.attestationTicks),
    windowTicks: Number(job.windowTicks),
    pricePerRound: job.pricePerRound,
    maxRounds: Number(job.maxRounds),
    ringSize: Number(job.ringSize),
    minAttempt: Number(minAttempt),
    deploymentBlock: Number(deploymentBlock),
    deployedAtS: Number(deployedAt),
  };
}

/** A vault's terms and sums, as the chain tells them. */
export interface VaultFacts {
  /** Address of the job's RewardVault, lower case. */
  readonly vault: Hex;
  /** The ERC-20 it pays in, lower case. */
  readonly token: Hex;
  /** The RoundAnchor whose records count, lower case. */
  readonly anchor: Hex;
  /** When activation ends and refunds open, in seconds since 1970. */
  readonly refundsOpenAtS: bigint;
  /** Everything sponsors put in, in the token's smallest unit. */
  readonly funded: bigint;
  /** Everything that may be claimed so far. */
  readonly activated: bigint;
  /** Everything paid to accounts. */
  readonly paid: bigint;
  /** Everything returned to sponsors. */
  readonly refunded: bigint;
  /** Latest activated round, 0 if none. */
  readonly activatedRound: number;
  /** Rewards root of that round. */
  readonly rewardsRoot: Hex;
}

/** Reads a vault's facts, all of one block. */
export async function readVaultFacts(rpc: Rpc, vault: Hex): Promise<VaultFacts> {
  const abi = loadArtifact('RewardVault').abi;
  const at = toQuantity(quantity(await rpc.call('eth_blockNumber', [])));
  const [[token, anchor, refundsOpenAt], [funded, activated, paid, refunded], [round, rewardsRoot]] = await Promise.all(
    [
      callView(rpc, abi, vault, 'terms', [], at),
      callView(rpc, abi, vault, 'totals', [], at),
      callView(rpc, abi, vault, 'activation', [], at),
    ],
  );
  return {
    vault,
    token: lower(token),
    anchor: lower(anchor),
    refundsOpenAtS: refundsOpenAt,
    funded,
    activated,
    paid,
    refunded,
    activatedRound: Number(round),
    rewardsRoot,
  };
}

function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
