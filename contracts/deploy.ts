import type { Hex } from '../shared/bytes.ts';
import type { ContractName } from './artifacts.ts';
import { creationCode } from './deploy/creation-code.ts';
import { DeployError } from './deploy/deploy-error.ts';
import { deployWithCourt } from './deploy/deploy-with-court.ts';
import { checkCourt, type JobCourt } from './deploy/job-court.ts';
import type { JobAddresses } from './ledger/ledger-writer.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { ReceiptSummary } from './outbox/outbox-store.ts';

/** Rounds that can be in their window at once, where a job does not say. */
export const DEFAULT_RING_SIZE = 256;

/** What a job is deployed with. */
export interface JobParameters {
  /** Identifier of the job, 32 bytes. */
  readonly job: Hex;
  /** Hash of the job's manifest. */
  readonly manifestHash: Hex;
  /** Hash of the part of the plan that every round repeats. */
  readonly fixedPlanHash: Hex;
  /** Root over the manifest's table of tensors. */
  readonly tensorTableRoot: Hex;
  /** Model before round 1. */
  readonly genesisModelRoot: Hex;
  /** Upper bound of one round's rewards, in the token's smallest unit; below 2^96. */
  readonly pricePerRound: bigint;
  /** Last round there can be; below 2^24. */
  readonly maxRounds: number;
  /** Challenge window in ticks of 16 seconds. */
  readonly windowTicks: number;
  /** Rounds that can be in their window at once, 2 to 1024; default 256. */
  readonly ringSize?: number;
  /** Who anchors. */
  readonly coordinator: Hex;
  /** Who may replace the coordinator and pause anchoring; default nobody. */
  readonly guardian?: Hex;
  /** Who may rewind rounds in their window; default nobody. */
  readonly arbiter?: Hex;
  /** Who keeps the list of those whose attestations count; default nobody. */
  readonly roster?: Hex;
  /** Attestations that a round needs to become final; default 0, where its window suffices. */
  readonly attestationQuorum?: number;
  /** For how many ticks after its window a round may wait for them before anyone may rewind it; default 0. */
  readonly attestationTicks?: number;
  /** When the last round should be final, in seconds since 1970 by the chain's clock. */
  readonly jobEndsAtS: number;
  /** For how many seconds after that final records can still be activated; refunds open then. */
  readonly claimPeriodS: number;
}

/** How to deploy a job. */
export interface DeployOptions {
  /** Pays for the deployment. */
  readonly outbox: Outbox;
  /** The job. */
  readonly parameters: JobParameters;
  /** An ERC-20 to pay rewards in; left out, a FedToken is deployed. */
  readonly token?: Hex;
  /** Who receives the new token's supply; default the deployer. */
  readonly treasury?: Hex;
  /** Supply of the new token in its smallest unit; default a billion tokens of 18 decimals. */
  readonly supply?: bigint;
  /** Stakes, bonds and disputes; default none. They take the places of arbiter and roster, and set the attestations. */
  readonly court?: JobCourt | undefined;
}

/** A deployed job. */
export interface DeployedJob extends JobAddresses {
  /** Receipts of what this outbox has created, by contract. */
  readonly receipts: Readonly<Partial<Record<keyof JobAddresses, ReceiptSummary>>>;
}

const NOBODY: Hex = `0x${'00'.repeat(20)}`;
const DEFAULT_SUPPLY = 10n ** 27n;

/**
 * Deploys a job's RoundAnchor and RewardVault, and a token unless one is named; with a court its StakeManager and Disputes
 * too, and the judges and the Deployer where the chain lacks them. Repeating it with the same outbox and the same options
 * deploys nothing again and returns the same addresses; with a court any outbox of the same wallet will do.
 *
 * @throws DeployError `deploy/invalid-parameter`, `deploy/invalid-court`, `deploy/no-factory`, `deploy/elsewhere`; and what
 *   {@link Outbox.send} throws
 */
export async function deployJob({ outbox, parameters, token, court, ...mint }: DeployOptions): Promise<DeployedJob> {
  const { job, ringSize = DEFAULT_RING_SIZE, guardian = NOBODY, jobEndsAtS, claimPeriodS, ...rest } = parameters;
  if (parameters.pricePerRound * BigInt(parameters.maxRounds) >= 1n << 96n) {
    throw new DeployError(
      'deploy/invalid-parameter',
      `pricePerRound times maxRounds is ${parameters.pricePerRound} * ${parameters.maxRounds}, but a vault counts to 2^96: lower one of them`,
      { pricePerRound: parameters.pricePerRound.toString(), maxRounds: parameters.maxRounds },
    );
  }
  const minted = [mint.treasury ?? outbox.address, mint.supply ?? DEFAULT_SUPPLY] as const;
  const anchorTerms = { job, ringSize, guardian, ...rest };
  if (court !== undefined) {
    refuseTwice(parameters);
    checkCourt(court, parameters.pricePerRound, ringSize);
    const { addresses, receipts } = await deployWithCourt({
      ...{ outbox, court, anchorTerms, mint: minted, vaultTerms: [jobEndsAtS, claimPeriodS] },
      ...(token === undefined ? {} : { token }),
    });
    return { ...addresses, receipts };
  }
  const tokenReceipt = token === undefined ? await create(outbox, job, 'FedToken', minted) : undefined;
  const tokenAddress = token ?? addressOf(tokenReceipt);
  const terms = { arbiter: NOBODY, roster: NOBODY, attestationQuorum: 0, attestationTicks: 0, ...anchorTerms };
  const anchorReceipt = await create(outbox, job, 'RoundAnchor', [terms]);
  const anchor = addressOf(anchorReceipt);
  const vaultReceipt = await create(outbox, job, 'RewardVault', [tokenAddress, anchor, jobEndsAtS, claimPeriodS]);
  return {
    token: tokenAddress.toLowerCase() as Hex,
    anchor,
    vault: addressOf(vaultReceipt),
    receipts: {
      ...(tokenReceipt === undefined ? {} : { token: tokenReceipt }),
      anchor: anchorReceipt,
      vault: vaultReceipt,
    },
  };
}

function refuseTwice(parameters: JobParameters): void {
  for (const name of ['arbiter', 'roster', 'attestationQuorum', 'attestationTicks'] as const) {
    if (parameters[name] === undefined) continue;
    throw new DeployError('deploy/invalid-parameter', `the job has a court, which decides ${name}: leave it out`, {
      name,
    });
  }
}

function create(outbox: Outbox, job: Hex, name: ContractName, parameters: readonly unknown[]): Promise<ReceiptSummary> {
  return outbox.send({ id: `deploy:${name}:${job}`, to: null, data: creationCode(name, parameters) });
}

function addressOf(receipt: ReceiptSummary | undefined): Hex {
  if (receipt?.contractAddress !== undefined) return receipt.contractAddress;
  throw new DeployError('deploy/no-address', 'the node reported a creation without an address: use another node', {
    transactionHash: receipt?.transactionHash,
  });
}
