import { contributionsRoot } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { type CumulativeRewards, totalRewards } from '../../shared/round/cumulative-rewards.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { BlobSource } from './blob-source.ts';
import { divergenceOf, mustEqual } from './divergence.ts';
import { fetchModel, fetchServerState } from './fetch-blob.ts';
import { fetchDocument } from './fetch-document.ts';

/** What the next round starts from. */
export interface RoundStart {
  /** The model. */
  readonly model: Int32Array;
  /** What the server step kept, null before round 1 and for a step that keeps nothing. */
  readonly serverState: Int32Array | null;
  /** Cumulative rewards. */
  readonly rewards: CumulativeRewards;
  /** The scale the next round must have. */
  readonly updateBits: number;
}

/** What round 1 starts from. Throws DivergenceFound, AuditError. */
export async function genesisStart(terms: JobTerms, blobs: BlobSource): Promise<RoundStart> {
  const { initialModelRoot, initialUpdateBits } = terms.manifest;
  const model = await fetchModel(blobs, 'genesis model', initialModelRoot, terms.layout.dimension);
  return { model, serverState: null, rewards: [], updateBits: initialUpdateBits };
}

/**
 * What the round after one that does not hold starts from: the model, server state, rewards and magnitudes that were published, if
 * they have the roots that the chain carries. Undefined if they have not.
 */
export async function recoverStart(
  terms: JobTerms,
  blobs: BlobSource,
  record: RoundRecord,
): Promise<RoundStart | undefined> {
  let start: RoundStart | undefined;
  await divergenceOf(async () => {
    const model = await fetchModel(blobs, 'published model', record.modelRoot, terms.layout.dimension);
    const serverState = await fetchServerState(blobs, terms, record.serverStateRoot);
    const { contributions, rewards } = await fetchDocument(blobs, record.location);
    mustEqual('contributionsRoot', contributionsRoot(contributions), record.contributionsRoot);
    mustEqual('rewardsRoot', rewardsTree(rewards).root, record.rewardsRoot);
    mustEqual('rewardsTotal', totalRewards(rewards), record.rewardsTotal);
    const magnitudes = contributions.map(({ largestMagnitude }) => largestMagnitude);
    start = { model, serverState, rewards, updateBits: nextUpdateBits(record.updateBits, magnitudes) };
  });
  return start;
}
