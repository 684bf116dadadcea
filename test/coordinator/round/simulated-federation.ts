import { effectsOf } from '../../../coordinator/round/effects.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { type RollCall, rollCallOf } from '../../../coordinator/round/roll-call.ts';
import type { Collecting, JobRules, JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { isAsked } from '../../../shared/round/sampling.ts';
import {
  accepted,
  aggregated,
  anchored,
  beginning,
  deadline,
  declined,
  joined,
  left,
  pauseEnded,
} from './happenings.ts';

/** What a site does when a round opens: answers after a time, declines after a time, or nothing at all. */
export type Conduct =
  | { readonly does: 'answer' | 'decline'; readonly afterMs: number }
  /** It is there and at work, but never done. */
  | { readonly does: 'hang' }
  /** It is gone; the coordinator notices after a time, or (a half-open connection) never. */
  | { readonly does: 'die'; readonly noticedAfterMs: number | null };

/** A site of a simulated federation. */
export interface Site {
  readonly participant: Hex;
  /** What it does in a round; `opening` counts the rounds and attempts that opened so far, from 1. */
  readonly conduct: (round: number, opening: number) => Conduct;
}

/** One attempt at a round as it went. */
export interface Attempted extends RollCall {
  /** When it opened and when its collection closed, in milliseconds. */
  readonly openedAt: number;
  readonly closedAt: number;
}

/** A life of a job. */
export interface Life {
  readonly state: JobState;
  readonly attempts: readonly Attempted[];
  readonly events: readonly JobEvent[];
  readonly endedAt: number;
}

/** Time that aggregation and anchoring take. */
const BETWEEN_MS = 10;

/**
 * Runs the round machine on a clock of its own, with sites that do what a client does: answer the rounds they are asked
 * in, give up work on a round that is over, and say that they are there when that happens to them.
 */
export function simulate(rules: JobRules, sites: readonly Site[], mostEvents = 20_000): Life {
  let state: JobState = beginning(rules);
  let now = 0;
  let order = 0;
  let openings = 0;
  const agenda: { at: number; order: number; event: JobEvent; isDue: () => boolean }[] = [];
  const events: JobEvent[] = [];
  const attempts: Attempted[] = [];
  const dead = new Set<Hex>();

  const plan = (afterMs: number, event: JobEvent, isDue: () => boolean = () => true): void => {
    agenda.push({ at: now + afterMs, order: order++, event: { ...event, at: now + afterMs }, isDue });
    agenda.sort((a, b) => a.at - b.at || a.order - b.order);
  };
  const isOpen = (opened: Collecting) => (): boolean => state.phase === 'collecting' && state.plan === opened.plan;

  const open = (opened: Collecting): void => {
    openings++;
    plan(opened.deadlineAt - now, deadline(opened.plan), isOpen(opened));
    for (const { participant, conduct } of sites) {
      if (dead.has(participant) || !isAsked(opened.draw, opened.plan, participant)) continue;
      const does = conduct(opened.plan.round, openings);
      const about = opened.plan;
      if (does.does === 'answer') plan(does.afterMs, accepted(participant, about), isOpen(opened));
      else if (does.does === 'decline') plan(does.afterMs, declined(participant, about), isOpen(opened));
      else if (does.does === 'die') {
        dead.add(participant);
        if (does.noticedAfterMs !== null) plan(does.noticedAfterMs, left(participant));
      }
    }
  };

  /** Those who were still at work say that they are there. */
  const rejoin = (closed: Collecting): void => {
    for (const { participant } of sites) {
      const wasAsked = isAsked(closed.draw, closed.plan, participant);
      if (wasAsked && closed.answers[participant] === undefined && !dead.has(participant)) plan(1, joined(participant));
    }
  };

  for (const { participant } of sites) plan(0, joined(participant));
  let openedAt = 0;
  for (let next = agenda.shift(); next && events.length < mostEvents; next = agenda.shift()) {
    if (!next.isDue()) continue;
    now = next.at;
    const before: JobState = state;
    state = step(rules, before, next.event).state;
    events.push(next.event);
    if (before.phase === 'collecting' && !(state.phase === 'collecting' && state.plan === before.plan)) {
      const answers = { ...before.answers, ...lastAnswer(next.event) };
      const call = rollCallOf({ ...before, answers }, next.event.type === 'deadlinePassed' ? 'deadline' : 'answered');
      attempts.push({ ...call, openedAt, closedAt: now });
      rejoin({ ...before, answers });
    }
    if (state.phase === before.phase && (state.phase !== 'collecting' || state.plan === (before as Collecting).plan)) {
      continue;
    }
    if (state.phase === 'collecting') {
      openedAt = now;
      open(state);
    } else if (state.phase === 'aggregating') plan(BETWEEN_MS, aggregated(state.plan));
    else if (state.phase === 'anchoring') plan(BETWEEN_MS, anchored(state.record));
    for (const effect of effectsOf(state)) {
      if (effect.type === 'armPause') plan(effect.pausedUntil - now, pauseEnded(effect));
    }
  }
  return { state, attempts, events, endedAt: now };
}

function lastAnswer(event: JobEvent): Collecting['answers'] {
  if (event.type === 'roundDeclined') return { [event.participant]: { verdict: 'declined', code: event.code } };
  if (event.type !== 'updateAccepted') return {};
  const { participant, signature, statement } = event;
  const { updateRoot, samples, largestMagnitude, datasetCommitment } = statement;
  const contribution = { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature };
  return { [participant]: { verdict: 'accepted', contribution } };
}

/** A site that always takes about the same time: less and more by a tenth, in turn. */
export function steady(participant: Hex, afterMs: number): Site {
  return {
    participant,
    conduct: (round) => ({ does: 'answer', afterMs: Math.round(afterMs * (round % 2 === 0 ? 0.9 : 1.1)) }),
  };
}
