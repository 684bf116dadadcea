import type { Contribution } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import type { JobState, Progress } from './state.ts';

/** What the shell must do. Every effect may be done twice: the second time changes nothing. */
export type Effect =
  /** Tell everyone connected where the job stands. */
  | { readonly type: 'announce' }
  /** Feed `deadlinePassed` at this time unless the round has closed by then. */
  | { readonly type: 'armDeadline'; readonly round: number; readonly attempt: number; readonly deadlineAt: number }
  /** Feed `pauseEnded` at this time unless the attempt has opened by then. */
  | { readonly type: 'armPause'; readonly round: number; readonly attempt: number; readonly pausedUntil: number }
  /** Reveal the seed, apply the round function, store what it returns, feed `roundAggregated`. */
  | {
      readonly type: 'aggregate';
      readonly progress: Progress;
      readonly plan: RoundPlan;
      readonly admitted: readonly Contribution[];
    }
  /** Bring the record on chain, feed `roundAnchored`. */
  | { readonly type: 'anchor'; readonly record: RoundRecord };

/** The effects that a state is waiting for: what a coordinator does again after a restart. */
export function effectsOf(state: JobState): Effect[] {
  switch (state.phase) {
    case 'open': {
      const { progress, pausedUntil } = state;
      if (pausedUntil === undefined) return [{ type: 'announce' }];
      const { rounds, attempt } = progress;
      return [{ type: 'announce' }, { type: 'armPause', round: rounds + 1, attempt, pausedUntil }];
    }
    case 'collecting': {
      const { round, attempt } = state.plan;
      return [{ type: 'announce' }, { type: 'armDeadline', round, attempt, deadlineAt: state.deadlineAt }];
    }
    case 'aggregating': {
      const { progress, plan, admitted } = state;
      return [{ type: 'announce' }, { type: 'aggregate', progress, plan, admitted }];
    }
    case 'anchoring':
      return [{ type: 'announce' }, { type: 'anchor', record: state.record }];
    default:
      return [{ type: 'announce' }];
  }
}
