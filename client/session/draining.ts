import { roundInHand } from './buffering.ts';
import { andThen, drop, type Move, start, stay, stop } from './move.ts';
import type { LiveSession } from './state.ts';

/** Code that a round is declined with whose client is told to stop. */
const STOPPING = 'client/stopping';

/**
 * live -> stopped, in good order: what is signed, or just being signed, is still sent and answered; a round that is only
 * being worked on is declined, so that nobody waits for it; nothing else is begun.
 */
export function drain(state: LiveSession): Move {
  const draining = { ...state, isDraining: true };
  const { activity } = state;
  switch (activity.at) {
    case 'recalling':
    case 'fetching':
    case 'evaluating':
    case 'training':
    case 'encoding':
    case 'waiting': {
      const plan = roundInHand(state, activity.plan);
      const dropped = drop(draining);
      if (state.link.at !== 'open' || plan === null) return drained(dropped);
      const decline = { name: 'decline', plan, code: STOPPING, message: 'the participant stops' } as const;
      return andThen(dropped, (live) => start(live, { at: 'declining', plan }, decline));
    }
    default:
      return drained(stay(draining));
  }
}

/** What a step came to, and -> stopped where a session that drains has nothing of its own on the way any more. */
export function drained(move: Move): Move {
  return andThen(move, (state) =>
    state.isDraining && !isOwing(state) ? stop(state, { kind: 'aborted' }) : stay(state),
  );
}

/** Whether something signed can still be delivered, or a decline: over the connection that is up, and no other. */
function isOwing({ link, activity }: LiveSession): boolean {
  switch (activity.at) {
    case 'signing':
    case 'offering':
    case 'uploading':
    case 'submitting':
    case 'declining':
      return true;
    case 'holding':
      return link.at === 'open' && activity.ticket !== null;
    default:
      return false;
  }
}
