import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { LedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import type { Hex } from '../../shared/bytes.ts';
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
  if (payable.round > vault.activatedRound) await writer.activate(payable);
  const { rewards } = await fetchDocument(blobs, payable.location);
  const earned = rewards.find((each) => each.account === account)?.cumulative ?? 0n;
  const proof = rewardsTree(rewards).proof(account);
  const before = await ledger.claimed(account);
  if (earned > before && proof) await writer.claim({ account, cumulative: earned, proof });
  return { round: payable.round, earned, before, claimed: await ledger.claimed(account) };
}
