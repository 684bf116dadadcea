import type { Hex } from '../../shared/bytes.ts';
import type { Divergence } from './divergence.ts';

/** Whether something holds, and if not, the first thing found that is not as it must be. */
export interface Verdict {
  /** Whether everything recomputed. */
  readonly holds: boolean;
  /** The first divergence, where it does not hold. */
  readonly divergence?: Divergence;
}

/** The verdict on one round. */
export interface RoundVerdict extends Verdict {
  /** The round. */
  readonly round: number;
  /** Its attempt. */
  readonly attempt: number;
  /** The model it anchored. */
  readonly modelRoot: Hex;
  /**
   * Set where it was not recomputed from its updates: they have gone, their retention being over. That it holds then says
   * that all roots are consistent, and no more.
   */
  readonly rootsOnly?: true;
}

/** What an audit found. */
export interface AuditReport {
  /** Whether origin, every round and the vault, if one was given, hold. */
  readonly holds: boolean;
  /** The manifest and the model before round 1. */
  readonly origin: Verdict;
  /** One verdict a record, in order. */
  readonly rounds: readonly RoundVerdict[];
  /** What the vault pays out, if one was given. */
  readonly vault?: Verdict;
}
