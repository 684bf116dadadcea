import { drain, drained } from './draining.ts';
import type { SessionEvent, WorkEvent } from './events.ts';
import { onFinishing } from './finishing.ts';
import { onConnected, onDisconnected, onJobState, onOpening } from './link.ts';
import { andThen, type Move, settle, stay, stop, unexpected } from './move.ts';
import { onward } from './onward.ts';
import { onPreparing } from './preparing.ts';
import { onSending, send } from './sending.ts';
import type { LiveSession, SessionState } from './state.ts';

/**
 * One participant's part in one job, as a pure function: what follows from an event.
 *
 * @param state - where the client stands
 * @param event - what happened; an event whose ticket is not waited for is stale and changes nothing
 * @returns the next state and what is to be done
 * @throws SessionError `session/unexpected-event` if work answers with what it cannot end in
 */
export function step(state: SessionState, event: SessionEvent): Move {
  if (state.at === 'stopped') return stay(state);
  switch (event.name) {
    case 'connected':
      return drained(onConnected(state));
    case 'disconnected':
      return drained(onDisconnected(state));
    case 'stopRequested':
      return stop(state, { kind: 'aborted' });
    case 'drainRequested':
      return drain(state);
    case 'jobStateReceived':
      return drained(goOn(onJobState(state, event.job)));
    default:
      return drained(goOn(onWork(state, event)));
  }
}

/** What a step came to, and what a buffered job's open round makes of it. */
function goOn(move: Move): Move {
  return andThen(move, onward);
}

function onWork(state: LiveSession, event: WorkEvent): Move {
  const { link, activity } = state;
  if (link.at === 'opening' && link.ticket === event.ticket) return onOpening(state, link, event);
  if (activity.at === 'idle' || activity.ticket !== event.ticket) return stay(state);
  switch (activity.at) {
    case 'holding':
      return send(state, activity.plan, activity.update, activity.learnt, activity.refusals);
    case 'declining':
      if (event.name !== 'roundDeclined' && event.name !== 'workFailed') throw unexpected(activity, event);
      return settle(state, activity.plan);
    case 'finishing':
      return onFinishing(state, activity, event);
    case 'offering':
    case 'uploading':
    case 'submitting':
      return onSending(state, activity, event);
    default:
      return onPreparing(state, activity, event);
  }
}
