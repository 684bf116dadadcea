import type { RoundPlan } from '../../shared/round/plan.ts';
import { isSameAttempt, type Move, start, stay } from './move.ts';
import type { Activity, Learnt, LiveSession } from './state.ts';

/** -> encoding: makes what was learnt an update of a round. */
export function encode(state: LiveSession, plan: RoundPlan, learnt: Learnt): Move {
  return start(state, { at: 'encoding', plan, learnt }, { name: 'encode', plan, learnt });
}

/** -> waiting, until a round is open that what was learnt can be offered to. */
export function wait(state: LiveSession, learnt: Learnt): Move {
  return stay({ ...state, activity: { at: 'waiting', plan: learnt.plan, learnt, ticket: null } });
}

/** Whether a round is over for all that is known: what is signed for it needs no upload, only its receipt. */
export function isOver({ maxStaleness, open }: LiveSession, plan: RoundPlan): boolean {
  return maxStaleness !== null && !isSameAttempt(open, plan);
}

/** The round that work can still be declined for: its own, or, in a buffered job, the one that is open; null if none is. */
export function roundInHand({ maxStaleness, open }: LiveSession, plan: RoundPlan): RoundPlan | null {
  return maxStaleness === null ? plan : open;
}

/** Whether nothing is signed yet. */
export function isPreparing(activity: Activity): boolean {
  switch (activity.at) {
    case 'recalling':
    case 'fetching':
    case 'evaluating':
    case 'training':
    case 'encoding':
    case 'waiting':
    case 'signing':
      return true;
    default:
      return false;
  }
}
