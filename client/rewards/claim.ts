import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { ClaimRequest, LedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { fetchDocument } from '../auditor/fetch-document.ts';

/** Thrown when there is nothing that can be claimed now. */
export class ClaimError extends FedanchorError<'claim/nothing-final'> {}

/** What a claim came to, in the token's smallest unit. */
export interface ClaimOutcome {
  /** Latest round whose rewards count. */
  readonly round: number;
  /** Everything that the account has earned by then. */
  readonly earned: bigint;
  /** What it was paid before. */
  readonly before: bigint;
  /** What it has been paid now in all. */
  readonly claimed: bigint;
}

/** What claiming for everybody came to. */
export interface ClaimManyOutcome {
  /** Latest round whose rewards count. */
  readonly round: number;
  /** Accounts that were paid something now. */
  readonly accounts: readonly Hex[];
  /** What they were paid now in all, in the token's smallest unit. */
  readonly paid: bigint;
}

/** Claims in one transaction: so many fit well below the gas that one may use. */
const BATCH = 200;

/**
 * Claims what an account has earned in rounds that are final: activates the latest such round if nobody has, proves the
 * account's rewards from the round's document, and lets the vault pay. Claiming again pays nothing again.
 *
 * @param ledger - connected to the anchor and the vault
 * @throws ClaimError `claim/nothing-final`, saying when; DivergenceFound, AuditError for the document; what the outbox throws
 */
export async function claimRewards(
  ledger: Ledger,
  writer: Pick<LedgerWriter, 'activate' | 'claim'>,
  blobs: BlobSource,
  account: Hex,
): Promise<ClaimOutcome> {
  const payable = await activateLatest(ledger, writer);
  const { rewards } = await fetchDocument(blobs, payable.location);
  const earned = rewards.find((each) => each.account === account)?.cumulative ?? 0n;
  const proof = rewardsTree(rewards).proof(account);
  const before = await ledger.claimed(account);
  if (earned > before && proof) await writer.claim({ account, cumulative: earned, proof });
  return { round: payable.round, earned, before, claimed: await ledger.claimed(account) };
}

/**
 * Claims for every account what it has earned in rounds that are final, many in one transaction; each is paid itself, or
 * whom it has named. Whoever has been paid all is left out.
 *
 * @param ledger - connected to the anchor and the vault
 * @throws ClaimError `claim/nothing-final`, saying when; DivergenceFound, AuditError for the document; what the outbox throws
 */
export async function claimForAll(
  ledger: Ledger,
  writer: Pick<LedgerWriter, 'activate' | 'claimMany'>,
  blobs: BlobSource,
): Promise<ClaimManyOutcome> {
  const payable = await activateLatest(ledger, writer);
  const { rewards } = await fetchDocument(blobs, payable.location);
  const tree = rewardsTree(rewards);
  const due: ClaimRequest[] = [];
  let paid = 0n;
  for (const { account, cumulative } of rewards) {
    const proof = tree.proof(account);
    const before = await ledger.claimed(account);
    if (proof === undefined || cumulative <= before) continue;
    due.push({ account, cumulative, proof });
    paid += cumulative - before;
  }
  for (let first = 0; first < due.length; first += BATCH) {
    await writer.claimMany(due.slice(first, first + BATCH), `${payable.round}:${first}`);
  }
  return { round: payable.round, accounts: due.map(({ account }) => account), paid };
}

/** The latest final record, whose rewards stand for all before it, activated if nobody has done so. */
async function activateLatest(ledger: Ledger, writer: Pick<LedgerWriter, 'activate'>): Promise<RoundRecord> {
  const records = await ledger.records();
  const finals = await Promise.all(records.map(({ record }) => ledger.isFinal(record)));
  const vault = await ledger.vaultFacts();
  // Rewards are cumulative: the latest round stands for all before it.
  const latest = records[finals.lastIndexOf(true)]?.record;
  const active = records.find(({ record }) => record.round === vault.activatedRound)?.record;
  const payable = latest && latest.round > vault.activatedRound ? latest : active;
  if (payable === undefined) {
    const [first] = records;
    const { finalAtS } = first ? await ledger.finality(first.record.round) : { finalAtS: 0 };
    const when = first
      ? `round ${first.record.round} is final from ${new Date(finalAtS * 1000).toISOString()} on, by the chain's clock`
      : 'no round is anchored yet';
    throw new ClaimError('claim/nothing-final', `nothing can be claimed yet: ${when}`, { finalAtS });
  }
  if (payable.round <= vault.activatedRound) return payable;
  try {
    await writer.activate(payable);
  } catch (error) {
    // Who claims at the same time may have been faster, and nothing can be activated twice.
    if ((await ledger.vaultFacts()).activatedRound !== payable.round) throw error;
  }
  return payable;
}
