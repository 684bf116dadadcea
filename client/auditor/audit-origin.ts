import type { Hex } from '../../shared/bytes.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { decodeManifest, manifestHash } from '../../shared/round/manifest.ts';
import type { BlobSource } from './blob-source.ts';
import { must, mustEqual, mustSucceed } from './divergence.ts';
import { fetchBlob } from './fetch-blob.ts';

/** What the chain says a job is: all that an audit starts from. */
export interface AuditFacts {
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** The job's RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** The job. */
  readonly job: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Hash of the part of the plan that every round repeats. */
  readonly fixedPlanHash: Hex;
  /** Root over the manifest's table of tensors. */
  readonly tensorTableRoot: Hex;
  /** Model before round 1. */
  readonly genesisModelRoot: Hex;
  /** Upper bound of one round's rewards, in the token's smallest unit. */
  readonly pricePerRound: bigint;
  /** Last round there can be. */
  readonly maxRounds: number;
  /** Challenge window in ticks of 16 seconds. */
  readonly windowTicks: number;
}

/** A manifest lists its tensors and an architecture as data; none needs more. */
const MANIFEST_LIMIT_BYTES = 64 * 2 ** 20;

/**
 * Fetches the manifest that the chain names and holds it to everything the chain repeats of it.
 *
 * @throws DivergenceFound, AuditError
 */
export async function auditManifest(facts: AuditFacts, blobs: BlobSource): Promise<JobTerms> {
  const id = facts.manifestHash;
  const bytes = await fetchBlob(blobs, 'manifest', id, MANIFEST_LIMIT_BYTES);
  mustEqual('manifest', id, manifestHash(bytes), id);
  const terms = mustSucceed('manifest', 'a valid manifest', id, () => jobTerms(decodeManifest(bytes)));
  const { manifest } = terms;
  mustEqual('job', terms.job, facts.job);
  mustEqual('fixedPlanHash of the job', terms.fixedPlanHash, facts.fixedPlanHash);
  mustEqual('tensorTableRoot of the job', terms.tensorTableRoot, facts.tensorTableRoot);
  mustEqual('genesisModelRoot of the job', manifest.initialModelRoot, facts.genesisModelRoot);
  mustEqual('pricePerRound of the job', BigInt(manifest.rewards.pricePerRound), facts.pricePerRound);
  mustEqual('maxRounds of the job', manifest.rounds, facts.maxRounds);
  mustEqual('windowTicks of the job', manifest.chain.windowTicks, facts.windowTicks);
  const { dimension } = terms.layout;
  must(Number.isSafeInteger(4 * dimension), 'manifest', 'tensors that memory can hold', `${dimension} coordinates`, id);
  return terms;
}
