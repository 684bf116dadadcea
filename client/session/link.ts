import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { WorkEvent } from './events.ts';
import { close } from './finishing.ts';
import { andThen, drop, type Move, stay, stop, unexpected } from './move.ts';
import { reconcile } from './reconcile.ts';
import { hold } from './sending.ts';
import type { Link, LiveSession } from './state.ts';

type Opening = Extract<Link, { readonly at: 'opening' }>;

/** Refused handshakes in a row after which the client gives up: the first may have met an expired challenge. */
const MOST_REFUSALS = 3;

/** any -> opening: a fresh connection needs a fresh session. */
export function onConnected(state: LiveSession): Move {
  return andThen(onDisconnected(state), (live) => {
    const ticket = live.lastTicket + 1;
    const refusals = live.link.at === 'open' ? 0 : live.link.refusals;
    return {
      state: { ...live, lastTicket: ticket, link: { at: 'opening', refusals, ticket, heard: null } },
      effects: [{ name: 'openSession', ticket }],
    };
  });
}

/** any -> connecting: what is not yet signed goes on; requests under way are lost; a closed job is not waited for. */
export function onDisconnected(state: LiveSession): Move {
  const { link, activity } = state;
  if (link.at === 'connecting') return stay(state);
  const connecting: LiveSession = {
    ...state,
    link: { at: 'connecting', refusals: link.at === 'opening' ? link.refusals : 0 },
    open: null,
  };
  const cancelled: Move = {
    state: connecting,
    effects: link.at === 'opening' ? [{ name: 'cancel', ticket: link.ticket }] : [],
  };
  return andThen(cancelled, (live) => {
    switch (activity.at) {
      case 'offering':
      case 'uploading':
      case 'submitting':
        return hold(live, activity);
      case 'declining':
        return drop(live);
      case 'finishing':
        return close(live, activity);
      default:
        return stay(live);
    }
  });
}

/**
 * Takes a notice of where the job stands. Before the job is joined there is no session to work in, but the notice counts:
 * it may come after the answer to joining and be seen before it.
 */
export function onJobState(state: LiveSession, job: JobStateMessage): Move {
  switch (state.link.at) {
    case 'open':
      return reconcile(state, job);
    case 'opening':
      return stay({ ...state, link: { ...state.link, heard: job } });
    case 'connecting':
      return stay(state);
  }
}

/** opening -> open, and on with the job; opening -> connecting or -> stopped when the session cannot be opened. */
export function onOpening(state: LiveSession, opening: Opening, event: WorkEvent): Move {
  switch (event.name) {
    case 'joined':
      return reconcile(
        { ...state, link: { at: 'open' }, maxStaleness: event.maxStaleness ?? null },
        opening.heard ?? event.job,
      );
    case 'workFailed': {
      const { code, message, severity } = event;
      const refusals = opening.refusals + (severity === 'refused' ? 1 : 0);
      if (severity === 'final' || refusals >= MOST_REFUSALS) return stop(state, { kind: 'refused', code, message });
      return {
        state: { ...state, link: { at: 'connecting', refusals } },
        effects: [{ name: 'reconnect', refusals }],
      };
    }
    default:
      throw unexpected(opening, event);
  }
}
