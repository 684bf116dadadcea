import { splitPot } from '../aggregation/rewards.ts';
import type { Hex } from '../bytes.ts';
import { type RewardsTree, rewardsTree } from '../commitments/rewards-tree.ts';
import { accrue, type CumulativeRewards, totalRewards } from '../round/cumulative-rewards.ts';
import { type Check, challenge, type Diagnosis } from './diagnosis.ts';
import { recomputesNumbers } from './settled.ts';

/**
 * Holds rewards to the committed scores. What an account has too much is asked for from after the round, what it has too
 * little from before it: the other way round, an account that is owed nothing could be shown to have nothing.
 */
export const checkRewards: Check = ({ view, n, known }) => {
  const { document, parentRewards, record, terms } = view;
  if (!recomputesNumbers(n) || !known.scores || !known.contributions) return undefined;
  const earned = splitPot(BigInt(terms.manifest.rewards.pricePerRound), document.scores);
  const accounts = document.contributions.map(({ participant }) => participant);
  const right = accrue(parentRewards, accounts, earned);
  const before = rewardsTree(parentRewards);
  if (record.rewardsTotal !== totalRewards(right)) {
    return fromBefore(accounts[0] as Hex, parentRewards, before, `rewards sum to ${record.rewardsTotal}`);
  }
  if (!known.rewards) {
    const isWrong = rewardsTree(right).root !== record.rewardsRoot;
    return isWrong ? { verdict: 'withheld', what: "the rewards behind the record's root" } : undefined;
  }
  const after = rewardsTree(document.rewards);
  for (const { account, cumulative } of document.rewards) {
    if (cumulative <= amountOf(right, account)) continue;
    const proof = after.proofOf(account, cumulative) ?? [];
    const what = `${account} has ${cumulative} after the round, not ${amountOf(right, account)}`;
    return challenge({ kind: 'reward', after: true, account, cumulative, proof }, what);
  }
  for (const { account, cumulative } of right) {
    const published = document.rewards.some((own) => own.account === account && own.cumulative === cumulative);
    if (published || cumulative === 0n) continue;
    return fromBefore(account, parentRewards, before, `${account} does not have ${cumulative} after the round`);
  }
  return undefined;
};

function fromBefore(account: Hex, rewards: CumulativeRewards, tree: RewardsTree, what: string): Diagnosis {
  const cumulative = amountOf(rewards, account);
  return challenge({ kind: 'reward', after: false, account, cumulative, proof: tree.proof(account) ?? [] }, what);
}

function amountOf(rewards: CumulativeRewards, account: Hex): bigint {
  return rewards.find((own) => own.account === account)?.cumulative ?? 0n;
}
