import { loadArtifact } from '../../contracts/artifacts.ts';
import type { JobCourt } from '../../contracts/deploy/job-court.ts';
import type { DeployedJob, JobParameters } from '../../contracts/deploy.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { connectStakes, createStakesWriter, type Stakes } from '../../contracts/ledger/stakes.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { CourtTerms } from '../../shared/round/court-terms.ts';
import { deployTestJob, JOB, type TestChain, wallet } from './harness.ts';

/** Terms that a test can wait for: the contracts' clock is moved on, nobody sleeps. */
export const COURT: CourtTerms = {
  minStake: '1000',
  coordinatorBond: '100000',
  challengerBond: '500',
  slashAmount: '50000',
  answerS: 600,
  longestRoundS: 1000,
  faultBps: 5000,
  proverBps: 2000,
  compensationBps: 2000,
  attestationQuorum: 0,
  attestationTicks: 10,
};

/** What a job with a court is to be, where it is not to be the usual one. */
export interface CourtFixtureOptions {
  /** Changes of the court's terms. */
  readonly court?: Partial<CourtTerms>;
  /** Blocks of 64 coordinates in a vector; default 4. */
  readonly blocks?: number;
  /** Whether scores are by confirmation; default true. */
  readonly confirmation?: boolean;
  /** Changes of the anchor's parameters: set job, hashes and roots to those of your `jobTerms`. */
  readonly job?: Partial<JobParameters>;
  /** Who stakes; default five wallets "participant 0" to "participant 4". */
  readonly participants?: readonly Signer[];
  /** Who anchors and has the bond; default the wallet "coordinator". */
  readonly coordinator?: Signer;
  /** What sponsors put into the vault; default a thousand rounds' rewards. */
  readonly funded?: bigint;
}

/** A job with everybody in place: rounds can be anchored, contributed to and disputed. */
export interface CourtWorld {
  readonly job: DeployedJob & { readonly stakes: Hex; readonly disputes: Hex };
  readonly court: JobCourt;
  readonly ledger: Ledger;
  readonly stakes: Stakes;
  readonly coordinator: Signer;
  /** Staked, in ascending order of addresses. */
  readonly participants: readonly Signer[];
  /** A stranger with tokens and coins. */
  readonly challenger: Signer;
  /** The one outbox of a wallet, which is given coins. */
  outboxOf(signer: Signer): Promise<Outbox>;
  /** Gives tokens from the treasury. */
  give(account: Hex, amount: bigint): Promise<void>;
  /** What an account holds of the token. */
  balanceOf(account: Hex): Promise<bigint>;
}

/** Deploys a job with a court, stakes its participants, posts twice the coordinator's bond and funds the vault. */
export async function openCourtWorld(chain: TestChain, options: CourtFixtureOptions = {}): Promise<CourtWorld> {
  const { rpc } = chain;
  const treasury = wallet('treasury');
  const coordinator = options.coordinator ?? wallet('coordinator');
  const challenger = wallet('challenger');
  const participants = (options.participants ?? [0, 1, 2, 3, 4].map((each) => wallet(`participant ${each}`))).toSorted(
    (a, b) => (a.address < b.address ? -1 : 1),
  );
  const outboxes = new Map<Hex, Promise<Outbox>>();
  const outboxOf = (signer: Signer) => {
    const open = outboxes.get(signer.address) ?? chain.openOutbox(signer);
    outboxes.set(signer.address, open);
    return open;
  };
  const terms = { ...COURT, ...options.court };
  const court = { terms, blocks: options.blocks ?? 4, confirmation: options.confirmation ?? true, rpc };
  const bank = await outboxOf(treasury);
  const job = await deployTestJob(
    chain,
    bank,
    { coordinator: coordinator.address, ringSize: 16, ...options.job },
    { court },
  );
  const { stakes, disputes, token, anchor, vault } = job;
  if (stakes === undefined || disputes === undefined) throw new Error('the job was deployed without its court');

  let given = 0;
  const give = async (account: Hex, amount: bigint): Promise<void> => {
    given += 1;
    const data = loadArtifact('FedToken').abi.encodeFunctionData('transfer', [account, amount]) as Hex;
    await bank.send({ id: `give:${token}:${given}`, to: token, data });
  };
  const writerOf = async (signer: Signer) => createStakesWriter({ outbox: await outboxOf(signer), rpc, stakes, token });
  for (const each of participants) {
    await give(each.address, BigInt(terms.minStake));
    await (await writerOf(each)).stake(BigInt(terms.minStake), 'fixture');
  }
  const bond = 2n * BigInt(terms.coordinatorBond);
  await give(coordinator.address, bond);
  await (await writerOf(coordinator)).postBond(bond, 'fixture');
  await give(challenger.address, 100n * BigInt(terms.challengerBond));
  await outboxOf(challenger);
  const funded = options.funded ?? 1000n * (options.job?.pricePerRound ?? JOB.pricePerRound);
  const sponsor = createLedgerWriter(bank, job);
  await sponsor.approve(funded, `fixture:${vault}`);
  await sponsor.fund(funded, `fixture:${vault}`);
  const ledger = await connectLedger({ rpc, anchor, vault });
  return {
    ...{ job: { ...job, stakes, disputes }, court, ledger, coordinator, participants, challenger, outboxOf, give },
    stakes: await connectStakes({ rpc, stakes }),
    balanceOf: (account) => ledger.balanceOf(account),
  };
}
