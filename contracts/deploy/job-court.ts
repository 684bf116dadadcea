import { BLOCK } from '../../shared/fixed-point/constants.ts';
import { type CourtTerms, leastSlashAmount, MOST_MOVES } from '../../shared/round/court-terms.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { scoreMethod } from '../../shared/round/manifest.ts';
import type { Rpc } from '../rpc.ts';
import { DeployError } from './deploy-error.ts';

/** What a job's stakes, bonds and disputes are deployed with. */
export interface JobCourt {
  /** The manifest's `court`. */
  readonly terms: CourtTerms;
  /** Blocks of 64 coordinates in a vector of the job. */
  readonly blocks: number;
  /** Whether the manifest scores by confirmation. */
  readonly confirmation: boolean;
  /** The chain, to see what is there. */
  readonly rpc: Rpc;
}

// The dispute over a Gram entry narrows blocks down by 32 in each of four exchanges.
const MOST_BLOCKS = 32 ** 4;

/** The court that a job's manifest asks for; undefined where it asks for none. */
export function jobCourt({ manifest, layout }: Pick<JobTerms, 'manifest' | 'layout'>, rpc: Rpc): JobCourt | undefined {
  if (manifest.court === undefined) return undefined;
  return {
    terms: manifest.court,
    blocks: layout.dimension / BLOCK,
    confirmation: scoreMethod(manifest) === 'confirmation',
    rpc,
  };
}

/** How long a dispute can last at most, in seconds. */
export function longestDisputeS({ answerS }: Pick<CourtTerms, 'answerS'>): number {
  return MOST_MOVES * answerS;
}

/**
 * Holds a court to what its contracts will demand, before anything is paid for.
 *
 * @param pricePerRound - in the token's smallest unit
 * @param ringSize - rounds that can be in their window at once
 * @throws DeployError `deploy/invalid-court`, naming the field
 */
export function checkCourt(
  { terms, blocks }: Pick<JobCourt, 'terms' | 'blocks'>,
  pricePerRound: bigint,
  ringSize: number,
): void {
  if (blocks > MOST_BLOCKS) {
    refuse(
      'tensors',
      `the model has ${blocks} blocks, a dispute reaches ${MOST_BLOCKS}: make it smaller, or leave court out`,
    );
  }
  const least = leastSlashAmount(terms, pricePerRound, ringSize);
  if (BigInt(terms.slashAmount) < least) {
    refuse(
      'court.slashAmount',
      `${terms.slashAmount} is too little: with ${ringSize} rounds of ${pricePerRound} in the ring a coordinator could gain by convicting itself; give at least ${least}, or lower contracts.ringSize or rewards.pricePerRound`,
    );
  }
}

function refuse(field: string, message: string): never {
  throw new DeployError('deploy/invalid-court', `field "${field}": ${message}`, { field });
}
