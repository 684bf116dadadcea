import type { Hex } from '../../shared/bytes.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { isAnswer, withAnswer, withBan } from './answers.ts';
import type { JobEvent } from './events.ts';
import { type RollCall, rollCallOf } from './roll-call.ts';
import { type Collecting, initialState, type JobRules, type JobState, jobRules } from './state.ts';
import { step } from './step.ts';

/** The roll call of an attempt, with what it was drawn from. */
export interface RecordedRollCall extends RollCall {
  /** Who was present when it opened, ascending: the set that a draw was made from. */
  readonly present: readonly Hex[];
  /** When it opened and when its collection closed, by the coordinator's clock in milliseconds since 1970. */
  readonly openedAt: number;
  /** When its collection closed. */
  readonly closedAt: number;
}

/**
 * Calls the roll of every attempt in a job's log, again: who was present, who was asked, who answered what, who was
 * missing. Whoever holds the log and the manifest can hold the coordinator's draws to them.
 *
 * @param events - the log, from its beginning
 */
export function rollCalls(job: Hex, manifest: Manifest, events: Iterable<JobEvent>): RecordedRollCall[] {
  const rules = jobRules(job, manifest);
  const calls: RecordedRollCall[] = [];
  let state: JobState = initialState(manifest);
  let opened = { at: 0, present: [] as readonly Hex[] };
  for (const event of events) {
    const before: JobState = state;
    state = step(rules, before, event).state;
    if (before.phase === 'collecting' && !isSameAttempt(before, state)) {
      const { present, at: openedAt } = opened;
      calls.push({ ...rollCallAfter(rules, before, event), present, openedAt, closedAt: event.at });
    }
    if (state.phase === 'collecting' && !isSameAttempt(state, before)) {
      opened = { at: event.at, present: state.progress.present };
    }
  }
  return calls;
}

/** The roll call of an attempt whose collection this event closes. */
export function rollCallAfter(rules: JobRules, before: Collecting, event: JobEvent): RollCall {
  switch (event.type) {
    case 'deadlinePassed':
      return rollCallOf(before, 'deadline');
    case 'jobStopped':
      return rollCallOf(before, 'stopped');
    case 'roundsRewound':
      return rollCallOf(before, 'rewound');
    case 'participantBanned':
      return rollCallOf(withBan(before, event.participant), 'answered');
    default:
      return rollCallOf(isAnswer(event) ? withAnswer(rules, before, event) : before, 'answered');
  }
}

/** Whether another state is of the same attempt, its collection still open. */
export function isSameAttempt({ plan }: Collecting, other: JobState): boolean {
  return other.phase === 'collecting' && other.plan.round === plan.round && other.plan.attempt === plan.attempt;
}
