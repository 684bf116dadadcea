import type { Hex } from '../../shared/bytes.ts';
import { genesisHead, type RoundRecord } from '../../shared/commitments/record.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { isSeedOf } from '../../shared/round/plan.ts';
import type { AuditFacts } from './audit-origin.ts';
import { divergenceFrom, must } from './divergence.ts';

/** Seeds between two rounds: more would be a way to keep an auditor busy for ever. */
const MOST_SEEDS_SKIPPED = 1_000_000;

/** A record as the chain's events give it. */
export interface AnchoredRound {
  /** The record. */
  readonly record: RoundRecord;
  /** The contract's head after it, 26 bytes. */
  readonly head: Hex;
}

/** Where the chain stands after a round, by records alone. */
export interface ChainPosition {
  /** The round, 0 before the first. */
  readonly round: number;
  /** The contract's head after it. */
  readonly head: Hex;
  /** Its attempt. */
  readonly attempt: number;
  /** Position of the last seed that was in its place, 0 before the first. */
  readonly seedIndex: number;
  /** That seed; the commitment before the first. */
  readonly seed: Hex;
  /** Its model. */
  readonly modelRoot: Hex;
}

/** The position before round 1. */
export function genesisPosition(facts: AuditFacts, terms: JobTerms): ChainPosition {
  return {
    round: 0,
    head: genesisHead(facts),
    attempt: 0,
    seedIndex: 0,
    seed: terms.manifest.seedCommitment,
    modelRoot: facts.genesisModelRoot,
  };
}

/** The position after a round, whether it holds or not. */
export function positionAfter(before: ChainPosition, { record, head }: AnchoredRound): ChainPosition {
  const { attempt, seedIndex, seed, modelRoot } = record;
  const isInPlace = divergenceFrom(() => auditSeed(before, record)) === undefined;
  // A wrong seed says nothing about the next one, which is held to the last right one.
  const revealed = isInPlace ? { seedIndex, seed } : { seedIndex: before.seedIndex, seed: before.seed };
  return { round: before.round + 1, head, attempt, modelRoot, ...revealed };
}

/**
 * Holds a revealed seed to the chain of seeds, link by link from the last one known.
 *
 * @throws DivergenceFound
 */
export function auditSeed(before: ChainPosition, { seedIndex, seed }: RoundRecord): void {
  const links = seedIndex - before.seedIndex;
  must(links > 0, 'seedIndex', `above ${before.seedIndex}`, String(seedIndex));
  must(links <= MOST_SEEDS_SKIPPED, 'seedIndex', `at most ${before.seedIndex + MOST_SEEDS_SKIPPED}`, String(seedIndex));
  must(isSeedOf(before.seed, links, seed), 'seed', `the seed at position ${seedIndex} of the committed chain`, seed);
}
