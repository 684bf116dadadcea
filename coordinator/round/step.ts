import { type Hex, ZERO_HASH } from '../../shared/bytes.ts';
import { recordFromJson } from '../../shared/commitments/record.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { parentsAfter } from '../../shared/round/staleness.ts';
import { type AnswerEvent, isAnswerTo, withAnswer, withLateAnswer } from './answers.ts';
import { bonded } from './bonding.ts';
import { close, failed, isComplete, isOf } from './closing.ts';
import type { JobEvent, RoundAggregated, RoundAnchored } from './events.ts';
import { openRound } from './opening.ts';
import { operated, stoppedByOperator } from './operated.ts';
import { entered, type Step, unchanged } from './outcome.ts';
import { withOneMore } from './present.ts';
import { rewound } from './rewinding.ts';
import {
  type Aggregating,
  type Anchoring,
  type JobRules,
  type JobState,
  mayOpen,
  type Open,
  type Progress,
} from './state.ts';

/**
 * The round machine: what follows from an event. Pure; an event that does not concern the state changes nothing, so
 * that a repeated or belated one is harmless.
 *
 * `open -> collecting` when enough are present and no pause is under way; `collecting -> aggregating` when all have
 * answered or enough of a sample or for a buffer have, or at the deadline with a quorum; `collecting -> collecting | open` with the next
 * attempt below the quorum, `-> failed` when the retries are spent; `aggregating -> anchoring`;
 * `anchoring -> collecting | open | closed`. A rewind leads from every state but `failed` back to `collecting | open`.
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
      return answered(rules, state, event);
    case 'deadlinePassed':
      return state.phase === 'collecting' && isOf(state, event.round, event.attempt)
        ? close(rules, state, event.at, 'deadline')
        : unchanged(state);
    case 'pauseEnded': {
      const { rounds, attempt } = state.progress;
      return state.phase === 'open' && event.round === rounds + 1 && event.attempt === attempt
        ? pauseEnded(rules, state, event.at)
        : unchanged(state);
    }
    case 'roundAggregated':
      return state.phase === 'aggregating' ? aggregated(state, event) : unchanged(state);
    case 'aggregationFailed':
      return state.phase === 'aggregating' && isOf(state, event.round, event.attempt)
        ? failed(state.progress, event.code, event.message)
        : unchanged(state);
    case 'roundAnchored':
      return state.phase === 'anchoring' ? anchored(rules, state, event) : unchanged(state);
    case 'roundsRewound':
      return rewound(rules, state, event);
    case 'bondFellShort':
    case 'bondRestored':
      return bonded(rules, state, event);
    case 'coordinatorRestarted':
      return restarted(rules, state, event.at);
    case 'headAttested':
    case 'metricsReported':
      return unchanged(state);
    case 'jobPaused':
    case 'jobResumed':
    case 'jobStopped':
    case 'participantBanned':
    case 'participantAllowed':
      return operated(rules, state, event);
  }
}

/** Any -> same, present one more; open -> collecting when that is enough. */
function joined(rules: JobRules, state: JobState, participant: Hex, at: number): Step {
  if (state.progress.banned?.[participant] !== undefined) return unchanged(state);
  const next = withPresent(state, withOneMore(state.progress.present, participant));
  return next.phase === 'open' && mayOpen(next) ? openRound(rules, next.progress, at) : unchanged(next);
}

/** open -> collecting when enough are present, else on in open without a pause. */
function pauseEnded(rules: JobRules, { pausedUntil, ...state }: Open, at: number): Step {
  if (pausedUntil === undefined) return unchanged(state);
  return mayOpen(state) ? openRound(rules, state.progress, at) : entered(state);
}

/** collecting -> collecting, or closes it when this was the last answer. An accepted update is never replaced. */
function answered(rules: JobRules, state: JobState, event: AnswerEvent): Step {
  if (state.phase !== 'collecting' || !isAnswerTo(state, event)) return unchanged(withLateAnswer(rules, state, event));
  const next = withAnswer(rules, state, event);
  return isComplete(rules, next) ? close(rules, next, event.at, 'answered') : unchanged(next);
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
  const { seedIndex, seed } = record;
  const progress: Progress = {
    ...state.progress,
    rounds: record.round,
    modelRoot: record.modelRoot,
    ...(record.serverStateRoot !== ZERO_HASH && { serverStateRoot: record.serverStateRoot }),
    updateBits: state.nextUpdateBits,
    location: record.location,
    ...(state.progress.seed && { seed: { seedIndex, seed } }),
    ...(rules.buffer && { parents: parentsAfter(rules.buffer, record.modelRoot, state.progress.parents ?? []) }),
    ...(state.progress.setbacks !== undefined && { setbacks: 0 }),
  };
  if (record.round === rules.rounds) return entered({ phase: 'closed', progress });
  return progress.stopping ? stoppedByOperator(progress, progress.stopping) : openRound(rules, progress, event.at);
}

/**
 * collecting -> collecting with a fresh deadline: the time the coordinator was down is not the participants' fault, and
 * says nothing about how long they take. A pause ends no later than it would after a failure just now.
 */
function restarted(rules: JobRules, state: JobState, at: number): Step {
  if (state.phase === 'open' && state.pausedUntil !== undefined) {
    return entered({ ...state, pausedUntil: Math.min(state.pausedUntil, at + rules.deadlineMs) });
  }
  if (state.phase !== 'collecting') return entered(state);
  const { wait } = state;
  const lengthMs = wait?.lengthMs ?? rules.deadlineMs;
  return entered({ ...state, deadlineAt: at + lengthMs, ...(wait && { wait: { openedAt: null, lengthMs } }) });
}

function withPresent<State extends JobState>(state: State, present: readonly Hex[]): State {
  return { ...state, progress: { ...state.progress, present } };
}
