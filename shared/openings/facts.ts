import { type Hex, toHex, ZERO_HASH } from '../bytes.ts';
import type { RoundRecord } from '../commitments/record.ts';
import { fixedPlanWords, isSeedOf } from '../round/plan.ts';
import { OpeningError } from './opening-error.ts';
import type { RoundPosition } from './round-view.ts';
import type { Subject } from './subject.ts';

/** A round as a challenge brings it: `IDisputes.Opening`. */
export interface Opening {
  /** The disputed round. */
  readonly record: RoundRecord;
  /** The head before it, 26 bytes. */
  readonly parentHead: Hex;
  /** The round before where the dispute is about what follows from it; else nothing. */
  readonly parent: readonly RoundRecord[];
  /** The head before that, 26 bytes. */
  readonly grandparentHead: Hex;
  /** The words behind `fixedPlanHash`. */
  readonly plan: readonly Hex[];
}

/** What is certain about a disputed round: `Facts` of the judges. */
export interface Facts {
  /** The disputed round. */
  readonly record: RoundRecord;
  /** Whether the next three are known. */
  readonly parentKnown: boolean;
  /** Server state root after the round before. */
  readonly parentStateRoot: Hex;
  /** Rewards root after the round before. */
  readonly parentRewardsRoot: Hex;
  /** Sum of all rewards after the round before. */
  readonly parentRewardsTotal: bigint;
  /** The words behind `fixedPlanHash`. */
  readonly plan: readonly Hex[];
}

const NO_HEAD: Hex = `0x${'00'.repeat(26)}`;

/** Seeds that the contract walks; a longer stretch it takes on trust. */
const MOST_SEEDS = 50_000;

/**
 * What opens a dispute.
 *
 * @param withParent - whether the round before belongs to it; see {@link needsParent}
 * @throws OpeningError `opening/no-parent`
 */
export function openingOf({ terms, record, parentHead, parent }: RoundPosition, withParent: boolean): Opening {
  const brought = withParent && record.round > 1;
  if (brought && parent === null) {
    const sentence = `what precedes round ${record.round} is not known: read the job's records from its first block`;
    throw new OpeningError('opening/no-parent', sentence, { round: record.round });
  }
  return {
    record,
    parentHead,
    parent: brought && parent !== null ? [parent.record] : [],
    grandparentHead: brought && parent !== null ? parent.parentHead : NO_HEAD,
    plan: fixedPlanWords(terms.manifest).map(toHex),
  };
}

/** What the contract takes for certain after {@link Opening}. */
export function factsOf({ record, parent, plan }: Opening): Facts {
  const before = parent[0];
  return {
    record,
    // Before round 1 everything is known: there was nothing.
    parentKnown: record.round === 1 || before !== undefined,
    parentStateRoot: before?.serverStateRoot ?? ZERO_HASH,
    parentRewardsRoot: before?.rewardsRoot ?? ZERO_HASH,
    parentRewardsTotal: before?.rewardsTotal ?? 0n,
    plan,
  };
}

/** Whether a dispute is about something that follows from the round before. */
export function needsParent({ terms }: RoundPosition, { kind }: Subject): boolean {
  return kind === 'reward' || (kind === 'coordinate' && terms.manifest.aggregation.serverStep.name === 'FedAvgM');
}

/**
 * In what a record does not continue the one before it, as the contract finds by itself: model, seed or sum of rewards.
 *
 * @returns what is wrong in words, undefined if nothing is
 * @throws OpeningError `opening/no-parent`
 */
export function discontinuityOf({ terms, record, parent }: RoundPosition): string | undefined {
  const { round, attempt, seedIndex } = record;
  if (round > 1 && parent === null) {
    throw new OpeningError('opening/no-parent', `the record of round ${round - 1} is not known: read it first`, {
      round,
    });
  }
  const before = parent?.record;
  if (seedIndex !== round + attempt) return `seedIndex ${seedIndex} of round ${round}, attempt ${attempt}`;
  if (before !== undefined) {
    if (record.parentModelRoot !== before.modelRoot) return `parent model ${record.parentModelRoot}`;
    if (seedIndex <= before.seedIndex) return `seedIndex ${seedIndex} after ${before.seedIndex}`;
    if (record.rewardsTotal < before.rewardsTotal) return `rewards that fall to ${record.rewardsTotal}`;
  }
  const steps = seedIndex - (before?.seedIndex ?? 0);
  const earlier = before?.seed ?? terms.manifest.seedCommitment;
  return steps <= MOST_SEEDS && !isSeedOf(earlier, steps, record.seed) ? `seed ${record.seed}` : undefined;
}
