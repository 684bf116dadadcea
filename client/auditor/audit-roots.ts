import { splitPot } from '../../shared/aggregation/rewards.ts';
import { scores as scoreRows } from '../../shared/aggregation/scores.ts';
import type { Hex } from '../../shared/bytes.ts';
import { contributionsRoot } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../shared/commitments/number-trees.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { blockRoot } from '../../shared/commitments/vector-trees.ts';
import { serverStateRoot } from '../../shared/fixed-point/server-state.ts';
import { serverStep } from '../../shared/fixed-point/server-step.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { accrue, totalRewards } from '../../shared/round/cumulative-rewards.ts';
import type { RoundDocument } from '../../shared/round/document.ts';
import { scoreMethod } from '../../shared/round/manifest.ts';
import { roundWeights } from '../../shared/round/round-weights.ts';
import { stalenessesOf } from '../../shared/round/staleness.ts';
import type { ContributionContext } from './audit-contributions.ts';
import { mustEqual, mustSucceed } from './divergence.ts';
import { fetchVector } from './fetch-blob.ts';
import type { RoundStart } from './round-start.ts';

/**
 * Holds a round whose updates have gone, their retention being over, to all that does not need them: what was published
 * has the roots on the chain, weights and scores follow from the Gram matrix, the rewards from the scores, model and server
 * state from the aggregate. That aggregate and Gram matrix follow from the updates cannot be said any more.
 *
 * @param parents - in a buffered job: the models that updates may be trained from, the newest first
 * @throws DivergenceFound, AuditError
 */
export async function auditRoots(
  { terms, blobs }: ContributionContext,
  start: RoundStart,
  record: RoundRecord,
  { contributions, gram, weights, scores, rewards }: RoundDocument,
  parents?: readonly Hex[],
): Promise<RoundStart> {
  const { manifest, layout } = terms;
  const id = record.location;
  mustEqual('fixedPlanHash', terms.fixedPlanHash, record.fixedPlanHash);
  mustEqual('tensorTableRoot', terms.tensorTableRoot, record.tensorTableRoot);
  mustEqual('contributionsRoot', contributionsRoot(contributions), record.contributionsRoot, id);
  mustEqual('gramRoot', gramRoot(gram), record.gramRoot, id);
  mustEqual('weightsRoot', weightsRoot(weights ?? contributions.map(() => 0)), record.weightsRoot, id);
  mustEqual('scoresRoot', scoresRoot(scores), record.scoresRoot, id);
  const { rule: spec, sampleCap } = manifest.aggregation;
  const [samples, n] = [contributions.map((one) => Math.min(one.samples, sampleCap)), contributions.length];
  const stalenesses = parents && stalenessesOf(parents, contributions);
  const updates = gram.slice(0, n).map((row) => row.slice(0, n));
  const found = mustSucceed('weights', 'a Gram matrix that the rule can use', id, () =>
    roundWeights({ spec, n, samples, plan: record, stalenesses }, updates),
  );
  mustEqual(
    'weightsRoot by the Gram matrix',
    weightsRoot(found.weights ?? samples.map(() => 0)),
    record.weightsRoot,
    id,
  );
  const expected = mustSucceed('scores', 'a Gram matrix of the round', id, () =>
    scoreRows(gram, found.active, scoreMethod(manifest)),
  );
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
  const before = { model: start.model, state: start.serverState };
  const { model, state } = serverStep(layout, before, aggregate, updateBits, manifest.aggregation.serverStep);
  mustEqual('modelRoot by the aggregate', blockRoot(TREE.model, model), record.modelRoot);
  mustEqual('serverStateRoot by the aggregate', serverStateRoot(state), record.serverStateRoot);
  const magnitudes = contributions.map(({ largestMagnitude }) => largestMagnitude);
  return { model, serverState: state, rewards: accrued, updateBits: nextUpdateBits(updateBits, magnitudes) };
}
