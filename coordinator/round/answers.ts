import type { Hex } from '../../shared/bytes.ts';
import type { JobEvent, RoundDeclined, UpdateAccepted, UpdateRefused } from './events.ts';
import { withOneMore } from './present.ts';
import { afterAnswer, standingOf } from './standing.ts';
import type { Answer, Collecting, JobRules, JobState, Progress } from './state.ts';

/** An event that is a participant's answer to a round. */
export type AnswerEvent = UpdateAccepted | UpdateRefused | RoundDeclined;

/** Whether an event is a participant's answer to a round. */
export function isAnswer(event: JobEvent): event is AnswerEvent {
  return event.type === 'updateAccepted' || event.type === 'updateRefused' || event.type === 'roundDeclined';
}

/** What an answer says of the round it is for. */
function aboutOf(event: AnswerEvent): { readonly round: number; readonly attempt: number } {
  return event.type === 'roundDeclined' ? event : event.receipt;
}

/** Whether an event answers the open round, and may still change its sender's answer: an accepted update never does. */
export function isAnswerTo({ plan, answers }: Collecting, event: AnswerEvent): boolean {
  const { round, attempt } = aboutOf(event);
  return plan.round === round && plan.attempt === attempt && answers[event.participant]?.verdict !== 'accepted';
}

/** collecting -> collecting, one answer more: whoever answers is there. */
export function withAnswer(rules: JobRules, state: Collecting, event: AnswerEvent): Collecting {
  const { participant } = event;
  const present = withOneMore(state.progress.present, participant);
  const openedAt = state.wait?.openedAt ?? null;
  const tookMs = event.type === 'updateAccepted' && openedAt !== null ? event.at - openedAt : null;
  return {
    ...state,
    answers: { ...state.answers, [participant]: answerOf(rules, event) },
    progress: credited(rules, { ...state.progress, present }, event, tookMs),
  };
}

/** collecting -> collecting, a participant being answered for: it is banned, so nobody waits for it. */
export function withBan(state: Collecting, participant: Hex): Collecting {
  const answers = { ...state.answers, [participant]: { verdict: 'declined', code: 'participant/banned' } as const };
  return { ...state, answers };
}

/**
 * Any -> same, the sender of a late answer given credit for it, if it was asked and the manifest says so: its time
 * counts, its silence no longer does. The update itself is lost, for it is bound to a round that is over.
 */
export function withLateAnswer<State extends JobState>(rules: JobRules, state: State, event: AnswerEvent): State {
  const { standings } = state.progress;
  if (!standings || rules.pace?.late !== 'credited') return state;
  if (event.type !== 'updateRefused' || event.receipt.verdict !== 'late') return state;
  const { owes } = standingOf(standings, event.participant);
  const { round, attempt } = aboutOf(event);
  if (owes?.round !== round || owes.attempt !== attempt) return state;
  const tookMs = owes.openedAt === null ? null : event.at - owes.openedAt;
  return { ...state, progress: credited(rules, state.progress, event, tookMs) };
}

function credited(
  { pace }: JobRules,
  progress: Progress,
  { participant }: AnswerEvent,
  tookMs: number | null,
): Progress {
  const { standings } = progress;
  if (!pace || !standings) return progress;
  const standing = afterAnswer(pace, standingOf(standings, participant), tookMs);
  return { ...progress, standings: { ...standings, [participant]: standing } };
}

function answerOf({ buffer }: JobRules, event: AnswerEvent): Answer {
  switch (event.type) {
    case 'updateAccepted': {
      const { parentRoot, updateRoot, samples, largestMagnitude, datasetCommitment } = event.statement;
      const { participant, signature } = event;
      return {
        verdict: 'accepted',
        contribution: {
          participant,
          updateRoot,
          samples,
          largestMagnitude,
          datasetCommitment,
          signature,
          ...(buffer && { parentRoot }),
        },
      };
    }
    case 'updateRefused':
      return { verdict: 'refused', code: event.receipt.code };
    case 'roundDeclined':
      return { verdict: 'declined', code: event.code };
  }
}
