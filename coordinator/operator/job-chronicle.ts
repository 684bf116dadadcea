import type { Hex } from '../../shared/bytes.ts';
import type { JobDetail } from '../../shared/protocol/messages.ts';
import type { HostedJob } from '../job-register.ts';
import type { JobEvent } from '../round/events.ts';
import { initialState, type JobState, jobRules } from '../round/state.ts';
import { step } from '../round/step.ts';

type Rounds = JobDetail['history'];
type Counts = { accepted: number; refused: number; declined: number; answerMs: number | null };

/** What became of a job so far, for people: a fold of its events that keeps up with them. */
export interface JobChronicle {
  /** Anchored rounds, the first one first. */
  readonly rounds: Rounds;
  /** Answers of each participant that ever gave one. */
  readonly answers: ReadonlyMap<Hex, Readonly<Counts>>;
  /** Calls a listener for every answer time, in milliseconds since the round opened, from now on. */
  onAnswerTime(listener: (participant: Hex, answerMs: number) => void): void;
}

/** Folds what has happened to a job, and goes on with what happens. */
export function createJobChronicle({ terms, runner }: Pick<HostedJob, 'terms' | 'runner'>): JobChronicle {
  const rounds: Rounds = [];
  const answers = new Map<Hex, Counts>();
  const listeners: ((participant: Hex, answerMs: number) => void)[] = [];
  let openedAt: number | undefined;
  let open = '';
  let pending: { readonly modelRoot: Hex; readonly accepted: number; readonly closeMs: number } | undefined;

  const countsOf = (participant: Hex): Counts => {
    const known = answers.get(participant) ?? { accepted: 0, refused: 0, declined: 0, answerMs: null };
    answers.set(participant, known);
    return known;
  };

  const take = (event: JobEvent, state: JobState): void => {
    switch (event.type) {
      case 'updateAccepted': {
        const counts = countsOf(event.participant);
        counts.accepted++;
        if (openedAt === undefined) break;
        counts.answerMs = Math.max(0, event.at - openedAt);
        for (const listener of listeners) listener(event.participant, counts.answerMs);
        break;
      }
      case 'updateRefused':
        countsOf(event.participant).refused++;
        break;
      case 'roundDeclined':
        countsOf(event.participant).declined++;
        break;
      case 'roundAggregated': {
        const { modelRoot, participants } = event.record;
        pending = { modelRoot, accepted: participants, closeMs: event.closeMs };
        break;
      }
      case 'roundAnchored': {
        const { round, attempt, transactionHash, blockNumber, gasUsed } = event;
        if (pending) rounds.push({ round, attempt, transactionHash, blockNumber, gasUsed, ...pending });
        pending = undefined;
        break;
      }
      case 'roundsRewound':
        rounds.splice(0, rounds.length, ...rounds.filter(({ round }) => round < event.firstRound));
        pending = undefined;
        break;
      case 'coordinatorRestarted':
        // Times from before the coordinator was away say nothing.
        openedAt = undefined;
        break;
      default:
        break;
    }
    const now = state.phase === 'collecting' ? `${state.plan.round}/${state.plan.attempt}` : '';
    if (now !== open) openedAt = now === '' ? undefined : event.at;
    open = now;
  };

  const rules = jobRules(terms.job, terms.manifest);
  let state: JobState = initialState(terms.manifest);
  for (const event of runner.history) {
    state = step(rules, state, event).state;
    take(event, state);
  }
  runner.subscribe(take);
  return {
    rounds,
    answers,
    onAnswerTime: (listener) => {
      listeners.push(listener);
    },
  };
}
