import type { RoundPlan } from '../../shared/round/plan.ts';
import type { SignedUpdate } from '../journal/submission-journal.ts';
import { isOver, wait } from './buffering.ts';
import type { WorkEvent } from './events.ts';
import { andThen, type Move, settle, start, stay, unexpected } from './move.ts';
import type { Learnt, LiveSession, Sending } from './state.ts';

/** Refusals in a row after which an update is no longer offered: the coordinator may have forgotten an upload, once. */
const MOST_REFUSALS = 3;

/**
 * -> offering when the connection is up, else -> holding until it is. -> submitting when its round is known to be over:
 * what was accepted before is answered as it was then, and all else as late.
 */
export function send(
  state: LiveSession,
  plan: RoundPlan,
  update: SignedUpdate,
  learnt: Learnt | null,
  refusals = 0,
): Move {
  if (state.link.at !== 'open') {
    return stay({ ...state, activity: { at: 'holding', plan, update, learnt, refusals, ticket: null } });
  }
  return isOver(state, plan)
    ? start(state, { at: 'submitting', plan, update, learnt, refusals }, { name: 'submit', update })
    : start(state, { at: 'offering', plan, update, learnt, refusals }, { name: 'offer', update });
}

/** holding -> offering, now that the connection is up. */
export function resume(state: LiveSession): Move {
  const { activity } = state;
  if (activity.at !== 'holding' || activity.ticket !== null) return stay(state);
  return send(state, activity.plan, activity.update, activity.learnt, activity.refusals);
}

/** sending -> holding: the connection is lost, and with it the request under way. */
export function hold(state: LiveSession, { plan, update, learnt, refusals, ticket }: Sending): Move {
  return {
    state: { ...state, activity: { at: 'holding', plan, update, learnt, refusals, ticket: null } },
    effects: [{ name: 'cancel', ticket }],
  };
}

/** offering -> uploading -> submitting -> idle; sending -> holding -> offering after a failure. */
export function onSending(state: LiveSession, activity: Sending, event: WorkEvent): Move {
  const { plan, update, learnt, refusals } = activity;
  const submit = () => start(state, { at: 'submitting', plan, update, learnt, refusals }, { name: 'submit', update });
  switch (event.name) {
    case 'updateOffered': {
      const { missing } = event;
      if (activity.at !== 'offering') break;
      if (missing.length === 0) return submit();
      return start(state, { at: 'uploading', plan, update, learnt, refusals }, { name: 'upload', update, missing });
    }
    case 'partsUploaded':
      if (activity.at !== 'uploading') break;
      return submit();
    case 'receiptReceived':
      if (activity.at !== 'submitting') break;
      // Its round had closed before it came: in a buffered job the next one may have it.
      if (event.verdict === 'late' && learnt !== null && state.maxStaleness !== null) {
        return andThen(settle(state, plan), (live) => wait(live, learnt));
      }
      return settle(state, plan);
    case 'workFailed': {
      // Only the coordinator's own word, repeated, ends the sending of what is signed.
      const isRefused = event.severity !== 'lost';
      if (isRefused && activity.at !== 'submitting' && isOver(state, plan)) return submit();
      if (isRefused && refusals + 1 >= MOST_REFUSALS) return settle(state, plan);
      const next = isRefused ? refusals + 1 : refusals;
      return start(state, { at: 'holding', plan, update, learnt, refusals: next }, { name: 'pause', refusals: next });
    }
    default:
  }
  throw unexpected(activity, event);
}
