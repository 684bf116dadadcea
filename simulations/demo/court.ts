import { loadArtifact } from '../../contracts/artifacts.ts';
import type { EmbeddedChain } from '../../contracts/embedded-chain.ts';
import { connectStakes, createStakesWriter, type StakeTotals } from '../../contracts/ledger/stakes.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobContracts } from '../../coordinator/job-folder.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type CourtTerms, leastSlashAmount } from '../../shared/round/court-terms.ts';
import type { Cast } from './participants.ts';

const FED = 10n ** 18n;

/** Rounds that the demonstration's contract can hold in their window at once. */
export const DEMO_RING_SIZE = 64;

/** Ticks of 16 seconds of the window of a demonstration with a court: its rounds stay open to doubt until it is over. */
export const COURT_WINDOW_TICKS = 200;

/**
 * A court for the demonstration: bonds that a lie costs, time that a spectator need not wait for, and attestations of two
 * thirds of the participants.
 */
export function demoCourt(pricePerRound: bigint, participants: number): CourtTerms {
  const parts = { proverBps: 2000, compensationBps: 2000 };
  const slashAmount = leastSlashAmount(parts, pricePerRound, DEMO_RING_SIZE);
  return {
    ...parts,
    minStake: String(10n * FED),
    // What is left of the bond after one lie suffices for honest work.
    coordinatorBond: String(slashAmount),
    challengerBond: String(50n * FED),
    slashAmount: String(slashAmount),
    answerS: 600,
    longestRoundS: 3600,
    faultBps: 5000,
    attestationQuorum: Math.ceil((2 * participants) / 3),
    attestationTicks: 100,
  };
}

/** Opens the outbox of one of the demonstration's wallets. */
export type OpenOutbox = (signer: Signer) => Promise<Outbox>;

/**
 * Gives everybody what they put down, from the sponsor's tokens, and lets them: participants stake, the operator posts its
 * bond twice over, the watcher holds the bond of one dispute.
 */
export async function fillCourt(
  chain: EmbeddedChain,
  terms: CourtTerms,
  { token, stakes }: JobContracts,
  { operator, sponsor, participants, watcher }: Cast,
  openOutbox: OpenOutbox,
): Promise<void> {
  if (stakes === undefined) throw new TypeError('the job was deployed without a court');
  const rpc = connectRpc({ url: chain.rpcUrl });
  const bank = await openOutbox(sponsor.signer);
  const give = async (account: Hex, amount: bigint): Promise<void> => {
    const data = loadArtifact('FedToken').abi.encodeFunctionData('transfer', [account, amount]) as Hex;
    await bank.send({ id: `give:${account}`, to: token, data });
  };
  const writerOf = async (signer: Signer) =>
    createStakesWriter({ outbox: await openOutbox(signer), rpc, stakes, token });
  const stake = BigInt(terms.minStake);
  for (const { signer } of participants) {
    await give(signer.address, stake);
    await (await writerOf(signer)).stake(stake, 'demo');
  }
  const bond = 2n * BigInt(terms.coordinatorBond);
  await give(operator.signer.address, bond);
  await (await writerOf(operator.signer)).postBond(bond, 'demo');
  await give(watcher.signer.address, BigInt(terms.challengerBond));
  // Who staked within the tick of 16 seconds that a round is anchored in came too late for it.
  await chain.increaseTime(32);
}

/** What the StakeManager holds and for whom. */
export interface CourtBooks {
  /** The coordinator's bond. */
  readonly bond: bigint;
  /** Sums by purpose. */
  readonly totals: StakeTotals;
  /** What the contract holds of the token. */
  readonly balance: bigint;
}

/** Reads the books of a court. */
export async function readBooks(
  rpcUrl: string,
  { stakes, token }: JobContracts,
  coordinator: Hex,
): Promise<CourtBooks> {
  if (stakes === undefined) throw new TypeError('the job was deployed without a court');
  const rpc = connectRpc({ url: rpcUrl });
  const reader = await connectStakes({ rpc, stakes });
  const { abi } = loadArtifact('FedToken');
  const data = abi.encodeFunctionData('balanceOf', [stakes]);
  const answer = (await rpc.call('eth_call', [{ to: token, data }, 'latest'])) as Hex;
  const [{ amount: bond }, totals] = [await reader.bondOf(coordinator), await reader.totals()];
  return { bond, totals, balance: BigInt(answer) };
}
