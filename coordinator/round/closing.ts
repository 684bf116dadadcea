import { byParticipant, type Contribution } from '../../shared/commitments/contribution.ts';
import { openRound } from './opening.ts';
import { entered, type Step } from './outcome.ts';
import { describeRollCall, rollCallOf } from './roll-call.ts';
import { afterSilence, standingOf } from './standing.ts';
import type { Collecting, JobRules, JobState, Progress } from './state.ts';

/** Why collection closes: everything asked for is there, or the deadline has passed. */
type Closing = 'answered' | 'deadline';

/**
 * Whether nothing more is waited for: all have answered, or as many updates as a round takes are accepted. In a buffered
 * job whoever is still training then offers its update to the next round.
 */
export function isComplete({ sample, buffer }: JobRules, { answers, expected }: Collecting): boolean {
  const size = sample?.size ?? buffer?.size;
  if (size !== undefined && admittedOf(answers).length >= size) return true;
  return expected.every((participant) => answers[participant] !== undefined);
}

/** collecting -> aggregating with a quorum; else the next attempt, at once or after a pause, or failed. */
export function close(rules: JobRules, state: Collecting, at: number, closing: Closing): Step {
  const progress = afterCollection(rules, state, closing);
  const admitted = admittedOf(state.answers);
  if (admitted.length >= rules.quorum) {
    return entered({ phase: 'aggregating', progress, plan: state.plan, admitted });
  }
  const attempt = state.plan.attempt + 1;
  if (attempt - (progress.rewound?.skipped ?? 0) > rules.retries) {
    return failed(
      progress,
      'round/quorum-missed',
      `round ${state.plan.round} closed with ${admitted.length} updates where ${rules.quorum} are needed, ` +
        `and the job's ${rules.retries} retries are spent; ${describeRollCall(rollCallOf(state, closing))}`,
    );
  }
  return tryAgain(rules, { ...progress, attempt }, at, closing);
}

/** Any -> failed. */
export function failed(progress: Progress, code: string, reason: string): Step {
  return entered({ phase: 'failed', progress, code, reason });
}

/** -> collecting, or -> open until a pause is over: an attempt that failed at once would fail at once again. */
function tryAgain(rules: JobRules, progress: Progress, at: number, closing: Closing): Step {
  const { retryPauseMs, deadlineMs, quorum } = rules;
  if (retryPauseMs === undefined || progress.setbacks === undefined) return openRound(rules, progress, at);
  const setbacks = progress.setbacks + 1;
  const next: Progress = { ...progress, setbacks };
  // A deadline that has passed was pause enough.
  if (closing === 'deadline') return openRound(rules, next, at);
  const pauseMs = Math.min(deadlineMs, retryPauseMs * 2 ** Math.min(setbacks - 1, 30));
  return entered({ phase: 'open', progress: next, need: quorum, pausedUntil: at + pauseMs });
}

/** What remains of those who have not answered: after a deadline they are not asked again until they show themselves. */
function afterCollection(rules: JobRules, state: Collecting, closing: Closing): Progress {
  const { progress, plan, expected, answers, wait } = state;
  const silent = expected.filter((participant) => answers[participant] === undefined);
  if (silent.length === 0) return progress;
  const standings = { ...progress.standings };
  for (const participant of silent) {
    const standing = standingOf(standings, participant);
    const { round, attempt } = plan;
    const debt = { round, attempt, openedAt: wait?.openedAt ?? null };
    const wasWhole = (wait?.lengthMs ?? rules.deadlineMs) >= rules.deadlineMs;
    standings[participant] =
      closing === 'deadline' ? afterSilence(standing, debt, plan.seedIndex, wasWhole) : { ...standing, owes: debt };
  }
  const gone = new Set(closing === 'deadline' ? silent : []);
  return {
    ...progress,
    present: progress.present.filter((participant) => !gone.has(participant)),
    ...(progress.standings && { standings }),
  };
}

/** The accepted updates in participant order. */
function admittedOf(answers: Collecting['answers']): Contribution[] {
  return Object.values(answers)
    .flatMap((answer) => (answer.verdict === 'accepted' ? [answer.contribution] : []))
    .sort(byParticipant);
}

/** Whether a state is about this round and attempt. */
export function isOf(state: Extract<JobState, { readonly plan: unknown }>, round: number, attempt: number): boolean {
  return state.plan.round === round && state.plan.attempt === attempt;
}
