import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { encode, isPreparing } from './buffering.ts';
import { andThen, drop, isSameAttempt, type Move, start, startAside, stay } from './move.ts';
import { resume } from './sending.ts';
import type { LiveSession } from './state.ts';

/**
 * any -> same: notes which round is open in a buffered job. Whatever is being done goes on; whoever is at work on it says
 * that it is there, for a deadline may have taken it for one that has gone away.
 */
export function noteRound(state: LiveSession, { phase, plan }: JobStateMessage): Move {
  const noted = { ...state, open: phase === 'collecting' ? plan : null };
  const isNews = noted.open !== null && !isSameAttempt(state.open, noted.open);
  const isAwaited = isNews || phase === 'open';
  return isAwaited && isPreparing(state.activity) ? startAside(noted, { name: 'rejoin' }) : stay(noted);
}

/**
 * What the open round of a buffered job leads to: idle -> recalling for one that is not answered; waiting -> encoding for it;
 * preparing -> recalling when nothing is begun yet, or what is trained from has become too old to be taken.
 */
export function onward(state: LiveSession): Move {
  const { activity, open, link, isDraining } = state;
  if (state.maxStaleness === null || link.at !== 'open' || isDraining) return stay(state);
  // What is signed is delivered, whatever round it is for.
  if (activity.at === 'holding') return resume(state);
  if (open === null || isSameAttempt(state.settled, open)) return stay(state);
  switch (activity.at) {
    case 'idle':
      return begin(state, open);
    case 'waiting':
      return isTooOld(state, activity.plan, open) ? renew(state, open) : encode(state, open, activity.learnt);
    case 'recalling':
      return isSameAttempt(activity.plan, open) ? stay(state) : renew(state, open);
    case 'fetching':
    case 'evaluating':
    case 'training':
      return isTooOld(state, activity.plan, open) ? renew(state, open) : stay(state);
    default:
      return stay(state);
  }
}

/** A model of a round that was taken back is nobody's parent: as good as too old. */
function isTooOld({ maxStaleness }: LiveSession, begun: RoundPlan, open: RoundPlan): boolean {
  const age = open.round - begun.round;
  return age < 0 || age > (maxStaleness ?? 0);
}

function begin(state: LiveSession, plan: RoundPlan): Move {
  return start(state, { at: 'recalling', plan }, { name: 'recall', plan });
}

function renew(state: LiveSession, plan: RoundPlan): Move {
  return andThen(drop(state), (live) => begin(live, plan));
}
