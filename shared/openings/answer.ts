import {
  answerContribution,
  answerLink,
  answerOmission,
  type ContributionAnswer,
  type LinkAnswer,
  type OmissionAnswer,
} from './contribution-answers.ts';
import { answerCoordinate, type CoordinateAnswer, type PaddingAnswer } from './coordinate-answer.ts';
import type { RoundView } from './round-view.ts';
import {
  answerReward,
  answerScores,
  answerWeights,
  type RewardAnswer,
  type ScoresAnswer,
  type WeightsAnswer,
} from './share-answers.ts';
import type { GramSubject, Subject } from './subject.ts';

/** What ends a dispute in one transaction by showing that the round is right. */
export type Answer =
  | CoordinateAnswer
  | PaddingAnswer
  | LinkAnswer
  | ContributionAnswer
  | OmissionAnswer
  | WeightsAnswer
  | ScoresAnswer
  | RewardAnswer;

/**
 * Builds the answer to a dispute from a round as it was published. For an honest round the contract accepts it; for a
 * wrong one no answer holds. A dispute over an entry of the Gram matrix is played by moves instead.
 *
 * @throws OpeningError `opening/no-data` where what it takes is not to be had, `opening/out-of-range`
 */
export async function buildAnswer(view: RoundView, subject: Exclude<Subject, GramSubject>): Promise<Answer> {
  switch (subject.kind) {
    case 'coordinate':
      return answerCoordinate(view, subject.coordinate);
    case 'link':
      return answerLink(view, subject.row, subject.block);
    case 'contribution':
      return answerContribution(view, subject.row);
    case 'omission':
      return answerOmission(view, subject.receipt);
    case 'weights':
      return answerWeights(view);
    case 'scores':
      return answerScores(view);
    case 'reward':
      return answerReward(view, subject);
  }
}
