import { splitPot } from '../../shared/aggregation/rewards.ts';
import { scores as scoreRows } from '../../shared/aggregation/scores.ts';
import { ZERO_HASH } from '../../shared/bytes.ts';
import { contributionsRoot } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../shared/commitments/number-trees.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { blockRoot } from '../../shared/commitments/vector-trees.ts';
import { serverStep } from '../../shared/fixed-point/server-step.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { accrue, totalRewards } from '../../shared/round/cumulative-rewards.ts';
import type { RoundDocument } from '../../shared/round/document.ts';
import type { ContributionContext } from './audit-contributions.ts';
import { mustEqual, mustSucceed } from './divergence.ts';
import { fetchVector } from './fetch-blob.ts';
import type { RoundStart } from './round-start.ts';

/**
 * Holds a round whose updates have gone, their retention being over, to all that does not need them: what was published
 * has the roots on the chain, the scores follow from the Gram matrix, the rewards from the scores, the model from the
 * aggregate. That aggregate, weights and Gram matrix follow from the updates cannot be said any more.
 *
 * @throws DivergenceFound, AuditError
 */
export async function auditRoots(
  { terms, blobs }: ContributionContext,
  start: RoundStart,
  record: RoundRecord,
  { contributions, gram, weights, scores, rewards }: RoundDocument,
): Promise<RoundStart> {
  const { manifest, layout } = terms;
  const id = record.location;
  mustEqual('fixedPlanHash', terms.fixedPlanHash, record.fixedPlanHash);
  mustEqual('tensorTableRoot', terms.tensorTableRoot, record.tensorTableRoot);
  // FedAvg keeps no state.
  mustEqual('serverStateRoot', ZERO_HASH, record.serverStateRoot);
  mustEqual('contributionsRoot', contributionsRoot(contributions), record.contributionsRoot, id);
  mustEqual('gramRoot', gramRoot(gram), record.gramRoot, id);
  mustEqual('weightsRoot', weightsRoot(weights ?? contributions.map(() => 0)), record.weightsRoot, id);
  mustEqual('scoresRoot', scoresRoot(scores), record.scoresRoot, id);
  const active = weights ? weights.map((weight) => weight > 0) : contributions.map(() => true);
  const expected = mustSucceed('scores', 'a Gram matrix of the round', id, () => scoreRows(gram, active));
  mustEqual('scoresRoot by the Gram matrix', scoresRoot(expected), record.scoresRoot, id);

  const earned = splitPot(BigInt(manifest.rewards.pricePerRound), expected);
  const participants = contributions.map(({ participant }) => participant);
  const accrued = accrue(start.rewards, participants, earned);
  mustEqual('rewardsRoot', rewardsTree(accrued).root, record.rewardsRoot, id);
  mustEqual('rewardsTotal', totalRewards(accrued), record.rewardsTotal, id);
  mustEqual('rewardsRoot of the document', rewardsTree(rewards).root, record.rewardsRoot, id);

  const { aggregateRoot, updateBits } = record;
  const what = 'published aggregate';
  const aggregate = await fetchVector(blobs, what, TREE.aggregate, aggregateRoot, layout.dimension);
  const model = serverStep(layout, start.model, aggregate, updateBits, manifest.aggregation.serverStep).vector;
  mustEqual('modelRoot by the aggregate', blockRoot(TREE.model, model), record.modelRoot);
  const magnitudes = contributions.map(({ largestMagnitude }) => largestMagnitude);
  return { model, rewards: accrued, updateBits: nextUpdateBits(updateBits, magnitudes) };
}
