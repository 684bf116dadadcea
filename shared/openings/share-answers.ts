import type { Hex } from '../bytes.ts';
import { rewardsTree } from '../commitments/rewards-tree.ts';
import { type ContributionLeaf, contributionLeaf } from './contribution-answers.ts';
import type { RoundView } from './round-view.ts';
import type { RewardSubject } from './subject.ts';

/** What shows that weights are right: `ShareJudge.WeightsAnswer`. */
export interface WeightsAnswer {
  /** What the answer is to. */
  readonly kind: 'weights';
  /** All weights. */
  readonly weights: readonly number[];
  /** The Gram matrix, row after row; empty for a weighted mean. */
  readonly gram: readonly bigint[];
  /** All contributions; empty for a selection. */
  readonly contributions: readonly ContributionLeaf[];
}

/** What shows that scores are right: `ShareJudge.ScoresAnswer`. */
export interface ScoresAnswer {
  /** What the answer is to. */
  readonly kind: 'scores';
  /** All scores. */
  readonly scores: readonly bigint[];
  /** The Gram matrix, row after row. */
  readonly gram: readonly bigint[];
  /** All weights; empty for a rule that works coordinate by coordinate. */
  readonly weights: readonly number[];
}

/** What shows that an account's rewards are right: `ShareJudge.RewardAnswer`. */
export interface RewardAnswer {
  /** What the answer is to. */
  readonly kind: 'reward';
  /** All scores. */
  readonly scores: readonly bigint[];
  /** All contributions. */
  readonly contributions: readonly ContributionLeaf[];
  /** The account's cumulative rewards on the other side of the round. */
  readonly other: bigint;
  /** Their proof; empty for nothing. */
  readonly proof: readonly Hex[];
}

/** Shows that the weights follow from the samples or from the Gram matrix. */
export function answerWeights({ terms, document }: RoundView): WeightsAnswer {
  const isMean = terms.manifest.aggregation.rule.rule === 'Average';
  return {
    kind: 'weights',
    weights: document.weights ?? [],
    gram: isMean ? [] : document.gram.flat(),
    contributions: isMean ? document.contributions.map(contributionLeaf) : [],
  };
}

/** Shows that the scores follow from the Gram matrix and the weights. */
export function answerScores({ document }: RoundView): ScoresAnswer {
  return { kind: 'scores', scores: document.scores, gram: document.gram.flat(), weights: document.weights ?? [] };
}

/** Shows that what an account has on one side of the round follows from what it has on the other. */
export function answerReward(
  { document, parentRewards }: RoundView,
  { after, account }: Pick<RewardSubject, 'after' | 'account'>,
): RewardAnswer {
  const otherSide = after ? parentRewards : document.rewards;
  return {
    kind: 'reward',
    scores: document.scores,
    contributions: document.contributions.map(contributionLeaf),
    other: otherSide.find((entitled) => entitled.account === account)?.cumulative ?? 0n,
    proof: rewardsTree(otherSide).proof(account) ?? [],
  };
}
