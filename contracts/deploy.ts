import { concatBytes, fromHex, type Hex, toHex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { type ContractName, loadArtifact } from './artifacts.ts';
import type { JobAddresses } from './ledger/ledger-writer.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { ReceiptSummary } from './outbox/outbox-store.ts';

/** Thrown when a job cannot be deployed as asked. */
export class DeployError extends FedanchorError<'deploy/invalid-parameter' | 'deploy/no-address'> {}

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
}

/** A deployed job. */
export interface DeployedJob extends JobAddresses {
  /** Receipts by contract; none for a token that was there before. */
  readonly receipts: {
    /** Creation of the token. */
    readonly token?: ReceiptSummary;
    /** Creation of the RoundAnchor. */
    readonly anchor: ReceiptSummary;
    /** Creation of the RewardVault. */
    readonly vault: ReceiptSummary;
  };
}

const NOBODY: Hex = `0x${'00'.repeat(20)}`;
const DEFAULT_SUPPLY = 10n ** 27n;

/**
 * Deploys a job's RoundAnchor and RewardVault, and a token unless one is named. Repeating it with the same outbox and the
 * same options deploys nothing again and returns the same addresses.
 *
 * @throws DeployError `deploy/invalid-parameter`; and what {@link Outbox.send} throws
 */
export async function deployJob({ outbox, parameters, token, ...mint }: DeployOptions): Promise<DeployedJob> {
  const { job, ringSize = 256, guardian = NOBODY, arbiter = NOBODY, roster = NOBODY, ...rest } = parameters;
  const attestations = { attestationQuorum: 0, attestationTicks: 0 };
  if (parameters.pricePerRound * BigInt(parameters.maxRounds) >= 1n << 96n) {
    throw new DeployError(
      'deploy/invalid-parameter',
      `pricePerRound times maxRounds is ${parameters.pricePerRound} * ${parameters.maxRounds}, but a vault counts to 2^96: lower one of them`,
      { pricePerRound: parameters.pricePerRound.toString(), maxRounds: parameters.maxRounds },
    );
  }
  const tokenReceipt =
    token === undefined
      ? await create(outbox, job, 'FedToken', [mint.treasury ?? outbox.address, mint.supply ?? DEFAULT_SUPPLY])
      : undefined;
  const tokenAddress = token ?? addressOf(tokenReceipt);
  const terms = { job, ringSize, guardian, arbiter, roster, ...attestations, ...rest };
  const anchorReceipt = await create(outbox, job, 'RoundAnchor', [terms]);
  const anchor = addressOf(anchorReceipt);
  const vaultReceipt = await create(outbox, job, 'RewardVault', [
    tokenAddress,
    anchor,
    parameters.jobEndsAtS,
    parameters.claimPeriodS,
  ]);
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

function create(outbox: Outbox, job: Hex, name: ContractName, parameters: readonly unknown[]): Promise<ReceiptSummary> {
  const { abi, bytecode } = loadArtifact(name);
  const data = toHex(concatBytes(fromHex(bytecode), fromHex(abi.encodeDeploy(parameters))));
  return outbox.send({ id: `deploy:${name}:${job}`, to: null, data });
}

function addressOf(receipt: ReceiptSummary | undefined): Hex {
  if (receipt?.contractAddress !== undefined) return receipt.contractAddress;
  throw new DeployError('deploy/no-address', 'the node reported a creation without an address: use another node', {
    transactionHash: receipt?.transactionHash,
  });
}
