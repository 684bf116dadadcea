import { jobCourt } from '../../contracts/deploy/job-court.ts';
import { deployJob } from '../../contracts/deploy.ts';
import type { EmbeddedChain } from '../../contracts/embedded-chain.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox, type Outbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobContracts } from '../../coordinator/job-folder.ts';
import type { Hex } from '../../shared/bytes.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import type { CumulativeRewards } from '../../shared/round/cumulative-rewards.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { DEMO_RING_SIZE, fillCourt } from './court.ts';
import type { Cast } from './participants.ts';

const ETHER = 10n ** 18n;

/** Seconds of one tick of the anchor's clock. */
const TICK_S = 16;

/**
 * Deploys a job's contracts and lets the sponsor put the pot of all rounds into the vault.
 *
 * @returns the contracts and what was funded, in the token's smallest unit
 */
export async function deployAndFund(
  chain: EmbeddedChain,
  terms: JobTerms,
  cast: Cast,
): Promise<{ readonly contracts: JobContracts; readonly funded: bigint }> {
  const { operator, sponsor, watcher, participants } = cast;
  for (const { signer } of [operator, sponsor, watcher, ...participants])
    await chain.fund(signer.address, 100n * ETHER);
  const outbox = await openOutbox(chain, sponsor.signer);
  const { manifest, job, fixedPlanHash, tensorTableRoot } = terms;
  const pricePerRound = BigInt(manifest.rewards.pricePerRound);
  const court = jobCourt(terms, connectRpc({ url: chain.rpcUrl }));
  const { receipts: _, ...contracts } = await deployJob({
    ...{ outbox, court },
    parameters: {
      job,
      manifestHash: job,
      fixedPlanHash,
      tensorTableRoot,
      genesisModelRoot: manifest.initialModelRoot,
      pricePerRound,
      maxRounds: manifest.rounds,
      windowTicks: manifest.chain.windowTicks,
      coordinator: operator.signer.address,
      ...(court && { ringSize: DEMO_RING_SIZE }),
      jobEndsAtS: Math.floor(Date.now() / 1000) + 30 * 86_400,
      claimPeriodS: 30 * 86_400,
    },
  });
  const funded = pricePerRound * BigInt(manifest.rounds);
  const writer = createLedgerWriter(outbox, contracts);
  await writer.approve(funded, 'pot');
  await writer.fund(funded, 'pot');
  if (court) await fillCourt(chain, court.terms, contracts, cast, (signer) => openOutbox(chain, signer, outbox));
  return { contracts, funded };
}

/** What an account was paid. */
export interface Payment {
  /** The account. */
  readonly account: Hex;
  /** What it is entitled to, in the token's smallest unit. */
  readonly amount: bigint;
  /** What it holds after its claim. */
  readonly claimed: bigint;
}

/**
 * Ends the last round's challenge window by moving the chain's clock on, activates its rewards, and lets every account
 * claim with its own wallet.
 *
 * @param accounts - who may have earned something
 * @param rewards - cumulative rewards after the last round
 * @param onClockMoved - told by how many seconds the clock was moved
 */
export async function settle(
  chain: EmbeddedChain,
  contracts: JobContracts,
  windowTicks: number,
  accounts: readonly Signer[],
  rewards: CumulativeRewards,
  onClockMoved: (seconds: number) => void,
): Promise<Payment[]> {
  const rpc = connectRpc({ url: chain.rpcUrl });
  const ledger = await connectLedger({ rpc, anchor: contracts.anchor, vault: contracts.vault });
  const last = (await ledger.records()).at(-1);
  if (last && !(await ledger.isFinal(last.record))) {
    const seconds = (windowTicks + 1) * TICK_S;
    await chain.increaseTime(seconds);
    onClockMoved(seconds);
  }
  const tree = rewardsTree(rewards);
  const entitled = new Map(rewards.map(({ account, cumulative }) => [account, cumulative]));
  let activated = false;
  const payments: Payment[] = [];
  for (const signer of accounts) {
    const account = signer.address;
    const cumulative = entitled.get(account) ?? 0n;
    const proof = tree.proof(account);
    if (last && proof) {
      const writer = createLedgerWriter(await openOutbox(chain, signer), contracts);
      // Anyone may activate a final record; whoever claims first does.
      if (!activated) await writer.activate(last.record);
      activated = true;
      await writer.claim({ account, cumulative, proof });
    }
    payments.push({ account, amount: cumulative, claimed: await ledger.claimed(account) });
  }
  return payments;
}

/** One outbox a wallet: the sponsor's is open already. */
async function openOutbox(chain: EmbeddedChain, wallet: Signer, open?: Outbox): Promise<Outbox> {
  if (open?.address === wallet.address) return open;
  return createOutbox({
    rpc: connectRpc({ url: chain.rpcUrl }),
    wallet,
    store: createMemoryOutboxStore(),
    pollIntervalMs: 20,
  });
}
