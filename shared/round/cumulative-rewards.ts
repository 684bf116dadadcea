import type { Hex } from '../bytes.ts';
import type { Entitlement } from '../commitments/rewards-tree.ts';

/** What every account has earned since round 1, ordered by account. */
export type CumulativeRewards = readonly Entitlement[];

/**
 * Adds one round's rewards.
 *
 * @param before - cumulative rewards of the rounds before
 * @param participants - accounts of the round, in participant order
 * @param amounts - what each earned in the round
 */
export function accrue(
  before: CumulativeRewards,
  participants: readonly Hex[],
  amounts: readonly bigint[],
): CumulativeRewards {
  const totals = new Map(before.map(({ account, cumulative }) => [account, cumulative]));
  participants.forEach((account, index) => {
    totals.set(account, (totals.get(account) ?? 0n) + (amounts[index] as bigint));
  });
  return [...totals]
    .map(([account, cumulative]) => ({ account, cumulative }))
    .sort((a, b) => (a.account < b.account ? -1 : 1));
}

/** Sum of all that was earned. */
export function totalRewards(rewards: CumulativeRewards): bigint {
  return rewards.reduce((sum, { cumulative }) => sum + cumulative, 0n);
}
