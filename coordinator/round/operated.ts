import type { Hex } from '../../shared/bytes.ts';
import { withBan } from './answers.ts';
import { close, failed, isComplete } from './closing.ts';
import type { OperatorEvent } from './events.ts';
import { openRound } from './opening.ts';
import { type Step, unchanged } from './outcome.ts';
import { type JobRules, type JobState, mayOpen, type Operated, type Progress } from './state.ts';

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

/** What an operator wants, before it is known when. */
export type OperatorAct = WithoutTime<OperatorEvent>;

/** Whether an act would change anything. */
export function hasEffect({ phase, progress }: JobState, act: OperatorAct): boolean {
  if (phase === 'closed' || phase === 'failed') return false;
  switch (act.type) {
    case 'jobPaused':
      return progress.paused === undefined;
    case 'jobResumed':
      return progress.paused !== undefined;
    case 'jobStopped':
      return progress.stopping === undefined;
    case 'participantBanned':
      return progress.banned?.[act.participant] === undefined;
    case 'participantAllowed':
      return progress.banned?.[act.participant] !== undefined;
  }
}

/** What follows from an operator's act. A job that has ended takes none. */
export function operated(rules: JobRules, state: JobState, event: OperatorEvent): Step {
  if (state.phase === 'closed' || state.phase === 'failed') return unchanged(state);
  const { by, reason, at } = event;
  switch (event.type) {
    case 'jobPaused':
      // A round that is open is finished: what participants have worked on is not thrown away.
      return unchanged(withProgress(state, { ...state.progress, paused: { by, reason } }));
    case 'jobResumed':
      return resumed(rules, state, at);
    case 'jobStopped':
      return stopped(state, { by, reason });
    case 'participantBanned':
      return banned(rules, state, event.participant, reason, at);
    case 'participantAllowed': {
      const { [event.participant]: _, ...others } = state.progress.banned ?? {};
      return unchanged(withProgress(state, { ...state.progress, banned: others }));
    }
  }
}

/** Any -> failed, with what the job has come to. */
export function stoppedByOperator(progress: Progress, { by, reason }: Operated): Step {
  const why = reason === '' ? '' : `: ${reason}`;
  return failed(progress, 'job/stopped', `the operator ${by} stopped the job after ${progress.rounds} rounds${why}`);
}

/** open -> collecting if nothing else is in the way. */
function resumed(rules: JobRules, state: JobState, at: number): Step {
  const { paused, ...progress } = state.progress;
  if (paused === undefined) return unchanged(state);
  const next = withProgress(state, progress);
  return next.phase === 'open' && mayOpen(next) ? openRound(rules, progress, at) : unchanged(next);
}

/** open, collecting -> failed; what is on its way to the chain arrives first, since no one can call it back. */
function stopped(state: JobState, operator: Operated): Step {
  if (state.phase !== 'aggregating' && state.phase !== 'anchoring') return stoppedByOperator(state.progress, operator);
  return unchanged(withProgress(state, { ...state.progress, stopping: operator }));
}

/** The participant is not waited for any more; an update that was accepted before stays, as every receipt promises. */
function banned(rules: JobRules, state: JobState, participant: Hex, reason: string, at: number): Step {
  const { progress } = state;
  const next = withProgress(state, {
    ...progress,
    present: progress.present.filter((each) => each !== participant),
    banned: { ...progress.banned, [participant]: reason },
  });
  if (next.phase !== 'collecting' || !next.expected.includes(participant)) return unchanged(next);
  if (next.answers[participant]?.verdict === 'accepted') return unchanged(next);
  const without = withBan(next, participant);
  return isComplete(rules, without) ? close(rules, without, at, 'answered') : unchanged(without);
}

function withProgress<State extends JobState>(state: State, progress: Progress): State {
  return { ...state, progress };
}
