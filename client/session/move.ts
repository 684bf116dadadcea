import type { SessionEffect, WorkEffect } from './effects.ts';
import type { SessionEvent } from './events.ts';
import { SessionError } from './session-error.ts';
import type { Activity, Attempt, LiveSession, SessionState, StoppedSession } from './state.ts';

/** What a step comes to. */
export interface Move {
  /** The state after it. */
  readonly state: SessionState;
  /** What the surroundings are asked to do, in order. */
  readonly effects: readonly SessionEffect[];
}

type WithoutTicket<T> = T extends unknown ? Omit<T, 'ticket'> : never;
type Ticketed = Exclude<Activity, { readonly at: 'idle' }>;

/** No change, nothing to do. */
export function stay(state: SessionState): Move {
  return { state, effects: [] };
}

/** Takes up an activity and starts the work that it waits for. */
export function start(state: LiveSession, activity: WithoutTicket<Ticketed>, work: WithoutTicket<WorkEffect>): Move {
  const ticket = state.lastTicket + 1;
  return {
    state: { ...state, lastTicket: ticket, activity: { ...activity, ticket } as Activity },
    effects: [{ ...work, ticket } as WorkEffect],
  };
}

/** Starts work that nothing waits for. */
export function startAside(state: LiveSession, work: WithoutTicket<WorkEffect>): Move {
  const ticket = state.lastTicket + 1;
  return { state: { ...state, lastTicket: ticket }, effects: [{ ...work, ticket } as WorkEffect] };
}

/** One move after the other. */
export function andThen(first: Move, next: (state: LiveSession) => Move): Move {
  if (first.state.at === 'stopped') return first;
  const second = next(first.state);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
}

/** any -> idle: drops the activity and cancels its work. */
export function drop(state: LiveSession): Move {
  const ticket = state.activity.at === 'idle' ? null : state.activity.ticket;
  return {
    state: { ...state, activity: { at: 'idle' } },
    effects: ticket === null ? [] : [{ name: 'cancel', ticket }],
  };
}

/** any -> idle: an attempt is answered or given up and will not be taken up again. */
export function settle(state: LiveSession, { round, attempt }: Attempt): Move {
  return stay({ ...state, activity: { at: 'idle' }, settled: { round, attempt } });
}

/** live -> stopped: cancels whatever is under way. */
export function stop(state: LiveSession, outcome: StoppedSession['outcome']): Move {
  const opening: SessionEffect[] = state.link.at === 'opening' ? [{ name: 'cancel', ticket: state.link.ticket }] : [];
  return { state: { at: 'stopped', outcome }, effects: [...drop(state).effects, ...opening] };
}

/** Whether two name the same attempt at the same round. */
export function isSameAttempt(a: Attempt | null, b: Attempt): boolean {
  return a !== null && a.round === b.round && a.attempt === b.attempt;
}

/** The error for an event that no work of this activity ends in: a fault of whoever carries out the effects. */
export function unexpected(activity: { readonly at: string }, event: SessionEvent): SessionError {
  return new SessionError(
    'session/unexpected-event',
    `a session that is ${activity.at} cannot take the event ${event.name}: correct what carries out its effects`,
    { at: activity.at, event: event.name },
  );
}
