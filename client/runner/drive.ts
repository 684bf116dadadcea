import type { Hex } from '../../shared/bytes.ts';
import type { Log } from '../log.ts';
import type { SessionEffect, WorkEffect } from '../session/effects.ts';
import type { SessionEvent, WorkEvent } from '../session/events.ts';
import { initialSession, type SessionState, type StoppedSession } from '../session/state.ts';
import { step } from '../session/step.ts';
import { failureOf } from './failure.ts';

/** What a running session works with. */
export interface DriveOptions {
  /** Whose session it is, lower case. */
  readonly participant: Hex;
  /** Carries out one effect. */
  readonly perform: (effect: WorkEffect, signal: AbortSignal) => Promise<WorkEvent>;
  /** Drops the connection and connects again after a pause that grows with the refusals. */
  readonly reconnect: (refusals: number) => void;
  /** Told of every state that the session has come to. */
  readonly onState?: (state: SessionState) => void;
  /** Where transitions and failures are told. */
  readonly log: Log;
}

/** A running session. */
export interface Drive {
  /** Gives the session an event. */
  dispatch(event: SessionEvent): void;
  /**
   * Resolves when the session has stopped, with how it ended and, if work that failed ended it, the error.
   *
   * @throws SessionError `session/unexpected-event`
   */
  readonly ended: Promise<{ readonly outcome: StoppedSession['outcome']; readonly error: unknown }>;
  /** Resolves when nothing is being signed and no receipt is being waited for or written. */
  settled(): Promise<void>;
}

/** Work that leaves something on disk: a session that has ended waits for it, where it can be waited for. */
const DURABLE: readonly WorkEffect['name'][] = ['sign', 'submit', 'collectReceipts'];

/** The one loop of a client: takes events in order, steps, starts the effects; a cancelled effect answers nothing. */
export function drive({ participant, perform, reconnect, onState, log }: DriveOptions): Drive {
  let state: SessionState = initialSession(participant);
  let isStepping = false;
  let lastError: unknown;
  const queue: SessionEvent[] = [];
  const work = new Map<number, AbortController>();
  const durable = new Set<Promise<void>>();
  const { promise: ended, resolve, reject } = withResolvers<Awaited<Drive['ended']>>();

  const begin = async (effect: WorkEffect): Promise<void> => {
    const controller = new AbortController();
    const { ticket } = effect;
    work.set(ticket, controller);
    let answer: WorkEvent;
    try {
      answer = await perform(effect, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      const failure = failureOf(error);
      lastError = error;
      log.warn({ work: effect.name, code: failure.code }, failure.message);
      if (failure.code === 'client/internal') log.debug({ stack: (error as Error).stack }, 'where it came from');
      answer = { name: 'workFailed', ticket, ...failure };
    } finally {
      work.delete(ticket);
    }
    if (!controller.signal.aborted) dispatch(answer);
  };

  const carryOut = (effect: SessionEffect): void => {
    switch (effect.name) {
      case 'cancel':
        work.get(effect.ticket)?.abort();
        return;
      case 'reconnect':
        reconnect(effect.refusals);
        return;
      default: {
        const begun = begin(effect);
        if (!DURABLE.includes(effect.name)) return;
        durable.add(begun);
        void begun.finally(() => durable.delete(begun));
      }
    }
  };

  const advance = (event: SessionEvent): void => {
    if (state.at === 'stopped') return;
    const next = step(state, event);
    const before = describe(state);
    state = next.state;
    onState?.(state);
    if (describe(state) !== before) log.debug({ event: event.name }, `${before} -> ${describe(state)}`);
    for (const effect of next.effects) carryOut(effect);
    if (state.at !== 'stopped') return;
    // Work aside, which no activity waits for, ends with the session too.
    for (const controller of work.values()) controller.abort();
    resolve({ outcome: state.outcome, error: lastError });
  };

  // An effect may cause an event at once, such as a connection that is closed: events are taken one after the other.
  const dispatch = (event: SessionEvent): void => {
    queue.push(event);
    if (isStepping) return;
    isStepping = true;
    try {
      for (let next = queue.shift(); next; next = queue.shift()) advance(next);
    } catch (error) {
      for (const controller of work.values()) controller.abort();
      reject(error);
    } finally {
      isStepping = false;
    }
  };

  return {
    dispatch,
    ended,
    settled: async () => {
      await Promise.all(durable);
    },
  };
}

function describe(state: SessionState): string {
  return state.at === 'stopped' ? `stopped (${state.outcome.kind})` : `${state.link.at}, ${state.activity.at}`;
}

function withResolvers<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
