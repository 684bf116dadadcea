import type { Hex } from '../../shared/bytes.ts';
import { byParticipant } from '../../shared/commitments/contribution.ts';
import { recordFromJson } from '../../shared/commitments/record.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { type Effect, effectsOf } from './effects.ts';
import type {
  JobEvent,
  RoundAggregated,
  RoundAnchored,
  RoundDeclined,
  UpdateAccepted,
  UpdateRefused,
} from './events.ts';
import type { Aggregating, Anchoring, Answer, Collecting, JobRules, JobState, Progress } from './state.ts';

/** A state and what the shell must do on entering it. */
export interface Step {
  /** The state after the event. */
  readonly state: JobState;
  /** Effects, all idempotent. */
  readonly effects: readonly Effect[];
}

/**
 * The round machine: what follows from an event. Pure; an event that does not concern the state changes nothing, so
 * that a repeated or belated one is harmless.
 *
 * `open -> collecting` when enough are present; `collecting -> aggregating` when all have answered, or at the deadline
 * with a quorum; `collecting -> collecting | open` with the next attempt below the quorum, `-> failed` when the retries
 * are spent; `aggregating -> anchoring`; `anchoring -> collecting | open | closed`.
 */
export function step(rules: JobRules, state: JobState, event: JobEvent): Step {
  switch (event.type) {
    case 'participantJoined':
      return joined(rules, state, event.participant, event.at);
    case 'participantLeft':
      return unchanged(
        withPresent(
          state,
          state.progress.present.filter((participant) => participant !== event.participant),
        ),
      );
    case 'updateAccepted':
    case 'updateRefused':
    case 'roundDeclined':
      return state.phase === 'collecting' ? answered(rules, state, event) : unchanged(state);
    case 'deadlinePassed':
      return state.phase === 'collecting' && isOf(state, event.round, event.attempt)
        ? close(rules, forgetSilent(state), event.at)
        : unchanged(state);
    case 'roundAggregated':
      return state.phase === 'aggregating' ? aggregated(state, event) : unchanged(state);
    case 'aggregationFailed':
      return state.phase === 'aggregating' && isOf(state, event.round, event.attempt)
        ? failed(state.progress, event.code, event.message)
        : unchanged(state);
    case 'roundAnchored':
      return state.phase === 'anchoring' ? anchored(rules, state, event) : unchanged(state);
    case 'coordinatorRestarted':
      return restarted(rules, state, event.at);
    case 'metricsReported':
      return unchanged(state);
  }
}

/** Any -> same, present one more; open -> collecting when that is enough. */
function joined(rules: JobRules, state: JobState, participant: Hex, at: number): Step {
  const next = withPresent(state, [...new Set([...state.progress.present, participant])].sort());
  if (next.phase !== 'open' || next.progress.present.length < next.need) return unchanged(next);
  return openRound(rules, next.progress, at);
}

/** collecting -> collecting, or closes it when this was the last answer. An accepted update is never replaced. */
function answered(rules: JobRules, state: Collecting, event: UpdateAccepted | UpdateRefused | RoundDeclined): Step {
  const { participant } = event;
  const about = event.type === 'roundDeclined' ? event : event.receipt;
  if (!isOf(state, about.round, about.attempt)) return unchanged(state);
  if (state.answers[participant]?.verdict === 'accepted') return unchanged(state);
  const answers: Collecting['answers'] = { ...state.answers, [participant]: answerOf(event) };
  const present = [...new Set([...state.progress.present, participant])].sort();
  const next: Collecting = { ...state, answers, progress: { ...state.progress, present } };
  return next.expected.every((expected) => answers[expected] !== undefined)
    ? close(rules, next, event.at)
    : unchanged(next);
}

function answerOf(event: UpdateAccepted | UpdateRefused | RoundDeclined): Answer {
  switch (event.type) {
    case 'updateAccepted': {
      const { updateRoot, samples, largestMagnitude, datasetCommitment } = event.statement;
      const { participant, signature } = event;
      return {
        verdict: 'accepted',
        contribution: { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature },
      };
    }
    case 'updateRefused':
      return { verdict: 'refused', code: event.receipt.code };
    case 'roundDeclined':
      return { verdict: 'declined', code: event.code };
  }
}

/** collecting -> aggregating with a quorum; else the next attempt, or failed. */
function close(rules: JobRules, state: Collecting, at: number): Step {
  const admitted = Object.values(state.answers)
    .flatMap((answer) => (answer.verdict === 'accepted' ? [answer.contribution] : []))
    .sort(byParticipant);
  if (admitted.length >= rules.quorum) {
    return entered({ phase: 'aggregating', progress: state.progress, plan: state.plan, admitted });
  }
  const attempt = state.plan.attempt + 1;
  if (attempt > rules.retries) {
    return failed(
      state.progress,
      'round/quorum-missed',
      `round ${state.plan.round} closed with ${admitted.length} updates where ${rules.quorum} are needed, ` +
        `and the job's ${rules.retries} retries are spent`,
    );
  }
  return openRound(rules, { ...state.progress, attempt }, at);
}

/** Those who let a deadline pass are not waited for until they show themselves again. */
function forgetSilent(state: Collecting): Collecting {
  const present = state.progress.present.filter((participant) => state.answers[participant] !== undefined);
  return { ...state, progress: { ...state.progress, present } };
}

/** aggregating -> anchoring. */
function aggregated(state: Aggregating, event: RoundAggregated): Step {
  const record = recordFromJson(event.record);
  if (!isOf(state, record.round, record.attempt)) return unchanged(state);
  const magnitudes = state.admitted.map(({ largestMagnitude }) => largestMagnitude);
  return entered({
    phase: 'anchoring',
    progress: state.progress,
    record,
    nextUpdateBits: nextUpdateBits(state.plan.updateBits, magnitudes),
  });
}

/** anchoring -> closed after the last round, else on to the next. */
function anchored(rules: JobRules, state: Anchoring, event: RoundAnchored): Step {
  const { record } = state;
  if (record.round !== event.round || record.attempt !== event.attempt) return unchanged(state);
  const progress: Progress = {
    ...state.progress,
    rounds: record.round,
    modelRoot: record.modelRoot,
    updateBits: state.nextUpdateBits,
    location: record.location,
  };
  return record.round === rules.rounds ? entered({ phase: 'closed', progress }) : openRound(rules, progress, event.at);
}

/** collecting -> collecting with a fresh deadline: the time the coordinator was down is not the participants' fault. */
function restarted(rules: JobRules, state: JobState, at: number): Step {
  return entered(state.phase === 'collecting' ? { ...state, deadlineAt: at + rules.deadlineMs } : state);
}

/** -> collecting if a quorum is present, else -> open. */
function openRound(rules: JobRules, progress: Progress, at: number): Step {
  if (progress.present.length < rules.quorum) return entered({ phase: 'open', progress, need: rules.quorum });
  const round = progress.rounds + 1;
  const { attempt, modelRoot: parentRoot, updateBits, present } = progress;
  return entered({
    phase: 'collecting',
    progress,
    // Round and attempt never fall and one of them rises with each plan, so no seed is used twice.
    plan: { round, attempt, parentRoot, updateBits, seedIndex: round + attempt },
    expected: present,
    answers: {},
    deadlineAt: at + rules.deadlineMs,
  });
}

function failed(progress: Progress, code: string, reason: string): Step {
  return entered({ phase: 'failed', progress, code, reason });
}

function isOf(state: Collecting | Aggregating, round: number, attempt: number): boolean {
  return state.plan.round === round && state.plan.attempt === attempt;
}

function withPresent<State extends JobState>(state: State, present: readonly Hex[]): State {
  return { ...state, progress: { ...state.progress, present } };
}

function unchanged(state: JobState): Step {
  return { state, effects: [] };
}

function entered(state: JobState): Step {
  return { state, effects: effectsOf(state) };
}
