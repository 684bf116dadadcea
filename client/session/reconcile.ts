import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { isAsked } from '../../shared/round/sampling.ts';
import { isPreparing } from './buffering.ts';
import { finish } from './finishing.ts';
import { andThen, drop, isSameAttempt, type Move, start, startAside, stay, stop } from './move.ts';
import { noteRound } from './onward.ts';
import { resume } from './sending.ts';
import type { LiveSession } from './state.ts';

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
      if (activity.at === 'finishing') return stay(state);
      return andThen(isPreparing(activity) ? drop(state) : leave(state, null), (live) => finish(live, job));
    default:
      return state.maxStaleness === null ? followRound(state, job) : noteRound(state, job);
  }
}

/** Where a round takes updates of its own parent alone: what was for another one is left. */
function followRound(state: LiveSession, job: JobStateMessage): Move {
  const { activity } = state;
  switch (job.phase) {
    case 'collecting': {
      const { plan } = job;
      if (plan === null || isSameAttempt(state.settled, plan)) return resume(state);
      if ('plan' in activity && isSameAttempt(activity.plan, plan)) return resume(state);
      const checked = check(state, plan, job.draw);
      if (isAsked(job.draw, plan, state.participant)) {
        const left = andThen(checked, (live) => leave(live, plan));
        return andThen(left, (live) => start(live, { at: 'recalling', plan }, { name: 'recall', plan }));
      }
      const { round, attempt } = plan;
      return andThen(checked, (live) => leaveOrResume({ ...live, settled: { round, attempt } }));
    }
    default:
      return leaveOrResume(state);
  }
}

/** Collection has closed: what is not signed yet would come too late, what is signed still gets its receipt. */
function leaveOrResume(state: LiveSession): Move {
  return isPreparing(state.activity) ? leave(state, null) : resume(state);
}

/**
 * any -> idle, because the round is over. Whoever was still at work on it would pass for one that has gone away: it says
 * that it is there, so that the next round waits for it. Whoever was sending still gets its receipt: a submission under
 * way brings it by itself, anything before that is submitted as it is.
 *
 * @param open - the round that is open now
 */
function leave(state: LiveSession, open: RoundPlan | null): Move {
  const dropped = drop(state);
  if (isPreparing(state.activity)) return andThen(dropped, (live) => startAside(live, { name: 'rejoin' }));
  const isUnsubmitted = 'update' in state.activity && state.activity.at !== 'submitting';
  return isUnsubmitted ? andThen(dropped, (live) => startAside(live, { name: 'collectReceipts', open })) : dropped;
}

function check(state: LiveSession, plan: RoundPlan, draw: JobStateMessage['draw']): Move {
  return draw ? startAside(state, { name: 'checkDraw', plan, draw }) : stay(state);
}
