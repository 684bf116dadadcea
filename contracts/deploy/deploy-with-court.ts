import type { Hex } from '../../shared/bytes.ts';
import type { ContractName } from '../artifacts.ts';
import type { JobAddresses } from '../ledger/ledger-writer.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import { type JobCourt, longestDisputeS } from './job-court.ts';
import { predictedAddress } from './predicted-address.ts';
import { settingsHash } from './settings-hash.ts';
import { ensureSingletons, SINGLETONS, singletonAddress } from './singletons.ts';
import { createThroughDeployer } from './through-deployer.ts';

/** A job with a court, ready to be deployed. */
export interface CourtDeployment {
  /** Pays; the addresses follow from it. */
  readonly outbox: Outbox;
  /** The court. */
  readonly court: JobCourt;
  /** An ERC-20 that is there already. */
  readonly token?: Hex;
  /** Who receives how much of a new token, where none is named. */
  readonly mint: readonly [treasury: Hex, supply: bigint];
  /** The RoundAnchor's parameters but for arbiter, roster and attestations. */
  readonly anchorTerms: Readonly<Record<string, unknown>>;
  /** When the job ends and for how long claims are taken after it, in seconds. */
  readonly vaultTerms: readonly [jobEndsAtS: number, claimPeriodS: number];
}

/** The job's contracts and the receipts of those that this outbox has created. */
export interface CourtDeployed {
  /** Where they are. */
  readonly addresses: Required<JobAddresses>;
  /** Receipts. */
  readonly receipts: Partial<Record<keyof JobAddresses, ReceiptSummary>>;
}

const CONTRACTS = {
  token: 'FedToken',
  anchor: 'RoundAnchor',
  stakes: 'StakeManager',
  disputes: 'Disputes',
  vault: 'RewardVault',
} as const satisfies Record<keyof JobAddresses, ContractName>;

/**
 * Deploys a job whose contracts know each other: their addresses follow from the wallet, the terms and the code, so each
 * can name the others before they are there. Repeated with the same wallet and terms, with whatever outbox, it deploys
 * what is missing.
 *
 * @throws DeployError `deploy/no-factory`, `deploy/elsewhere`; and what {@link Outbox.send} throws
 */
export async function deployWithCourt(deployment: CourtDeployment): Promise<CourtDeployed> {
  const { outbox, court, anchorTerms, vaultTerms, mint } = deployment;
  const { rpc, terms } = court;
  const at = (role: keyof JobAddresses): Hex => predictedAddress(outbox.address, saltOf(deployment, role));
  const addresses = {
    ...{ anchor: at('anchor'), vault: at('vault'), stakes: at('stakes'), disputes: at('disputes') },
    token: (deployment.token?.toLowerCase() as Hex | undefined) ?? at('token'),
  };
  const { token, anchor, stakes, disputes } = addresses;
  await ensureSingletons(rpc, outbox);

  const parameters: Readonly<Record<keyof JobAddresses, readonly unknown[]>> = {
    token: mint,
    anchor: [
      {
        ...anchorTerms,
        ...{ arbiter: disputes, roster: stakes },
        ...{ attestationQuorum: terms.attestationQuorum, attestationTicks: terms.attestationTicks },
      },
    ],
    stakes: [{ ...terms, token, anchor, longestDisputeS: longestDisputeS(terms) }],
    disputes: [
      {
        ...{ anchor, stakes, blocks: court.blocks, confirmation: court.confirmation },
        ...{ answerS: terms.answerS, challengerBond: terms.challengerBond, slashAmount: terms.slashAmount },
        coordinateJudge: singletonAddress('CoordinateJudge'),
        contributionJudge: singletonAddress('ContributionJudge'),
        shareJudge: singletonAddress('ShareJudge'),
        gramJudge: singletonAddress('GramJudge'),
      },
    ],
    vault: [token, anchor, ...vaultTerms],
  };
  const receipts: Partial<Record<keyof JobAddresses, ReceiptSummary>> = {};
  // In this order each finds what its constructor asks.
  for (const role of ['token', 'anchor', 'stakes', 'disputes', 'vault'] as const) {
    if (role === 'token' && deployment.token !== undefined) continue;
    const receipt = await createThroughDeployer(rpc, outbox, {
      ...{ name: CONTRACTS[role], salt: saltOf(deployment, role) },
      ...{ address: addresses[role], parameters: parameters[role] },
    });
    if (receipt !== undefined) receipts[role] = receipt;
  }
  return { addresses, receipts };
}

/** Every term counts, so that other terms are another job. */
function saltOf({ court, token, mint, anchorTerms, vaultTerms }: CourtDeployment, role: keyof JobAddresses): Hex {
  const { terms, blocks, confirmation } = court;
  const paid = token?.toLowerCase() ?? mint;
  return settingsHash([...Object.values(CONTRACTS), ...SINGLETONS], {
    ...{ role, paid, anchorTerms, vaultTerms, terms, blocks, confirmation },
  });
}
