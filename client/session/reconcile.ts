import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import { finish } from './finishing.ts';
import { andThen, drop, isSameAttempt, type Move, start, stay, stop } from './move.ts';
import { resume } from './sending.ts';
import type { Activity, LiveSession } from './state.ts';

/**
 * Brings what is being done in line with what the coordinator said last. Only its latest word counts, so nothing is
 * lost by having missed the ones before.
 */
export function reconcile(state: LiveSession, job: JobStateMessage): Move {
  const { activity } = state;
  switch (job.phase) {
    case 'failed':
      return stop(state, { kind: 'failed', reason: job.reason ?? 'the coordinator gave no reason' });
    case 'closed':
      return activity.at === 'finishing' ? stay(state) : andThen(drop(state), (live) => finish(live, job));
    case 'collecting': {
      const { plan } = job;
      if (plan === null || isSameAttempt(state.settled, plan)) return stay(state);
      if ('plan' in activity && isSameAttempt(activity.plan, plan)) return resume(state);
      return andThen(drop(state), (live) => start(live, { at: 'recalling', plan }, { name: 'recall', plan }));
    }
    default:
      // Collection has closed: what is not signed yet would come too late, what is signed still gets its receipt.
      return isPreparing(activity) ? drop(state) : resume(state);
  }
}

function isPreparing(activity: Activity): boolean {
  switch (activity.at) {
    case 'recalling':
    case 'fetching':
    case 'evaluating':
    case 'training':
    case 'signing':
      return true;
    default:
      return false;
  }
}
