import { checkStatement } from '../../coordinator/gate/check-statement.ts';
import { isOf } from '../../coordinator/round/closing.ts';
import type { Effect } from '../../coordinator/round/effects.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { isSameAttempt } from '../../coordinator/round/roll-calls.ts';
import { type Collecting, initialState, type JobState, jobRules } from '../../coordinator/round/state.ts';
import { step } from '../../coordinator/round/step.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { Verdict } from '../../shared/commitments/receipt.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { type Agenda, TURN } from './agenda.ts';
import type { VirtualJob } from './virtual-job.ts';

/** Who is told what becomes of rounds. Of one event, in this order. */
export interface RoundListener {
  /** An attempt's collection has closed with this event. */
  closed(before: Collecting, event: JobEvent, after: JobState): void;
  /** The record of a round is on chain. */
  anchored(round: number, at: number): void;
  /** An attempt has opened. */
  opened(state: Collecting, at: number): void;
}

/** Production's round machine on a virtual clock. */
export interface RoundClock {
  /** Where the job stands. */
  readonly state: JobState;
  /** A client says that it is there. */
  join(client: number, at: number): void;
  /** A client's connection has ended. */
  leave(client: number, at: number): void;
  /**
   * A client submits: the gate decides by where the job stands now. Whoever does is there, whatever the answer.
   *
   * @param parentRoot - the model that it trained from
   */
  submit(client: number, plan: RoundPlan, parentRoot: Hex, samples: number, at: number): Verdict;
}

/**
 * The loop around the round machine (`coordinator/round/step.ts`), as a coordinator's runner is, but for time: a deadline
 * passes and a record is anchored when the agenda comes to it.
 *
 * @param coordinatorMs - from the end of collection until the record is anchored
 * @param onEvent - told every event before the machine is
 */
export function createRoundClock(
  job: VirtualJob,
  agenda: Agenda,
  coordinatorMs: number,
  listener: RoundListener,
  onEvent: (event: JobEvent) => void,
): RoundClock {
  const rules = jobRules(job.job, job.manifest);
  let state: JobState = initialState(job.manifest);

  const feed = (event: JobEvent): void => {
    onEvent(event);
    const before = state;
    const after = step(rules, before, event);
    state = after.state;
    for (const effect of after.effects) perform(effect);
    if (before.phase === 'collecting' && !isSameAttempt(before, state)) listener.closed(before, event, state);
    if (event.type === 'roundAnchored') listener.anchored(event.round, event.at);
    if (state.phase === 'collecting' && !(before.phase === 'collecting' && isSameAttempt(state, before))) {
      listener.opened(state, event.at);
    }
  };

  const perform = (effect: Effect): void => {
    switch (effect.type) {
      case 'announce':
        return;
      case 'armDeadline': {
        const { round, attempt, deadlineAt } = effect;
        agenda.add(deadlineAt, TURN.timer, (at) => {
          if (state.phase !== 'collecting' || !isOf(state, round, attempt)) return;
          feed({ type: 'deadlinePassed', at, round, attempt });
        });
        return;
      }
      case 'armPause': {
        const { round, attempt, pausedUntil } = effect;
        agenda.add(pausedUntil, TURN.timer, (at) => feed({ type: 'pauseEnded', at, round, attempt }));
        return;
      }
      case 'aggregate': {
        const { plan, admitted } = effect;
        const doneAt = agenda.now + coordinatorMs;
        agenda.add(doneAt, TURN.work, (at) => feed(job.aggregated(plan, admitted.length, at)));
        return;
      }
      case 'anchor': {
        const { record } = effect;
        agenda.add(agenda.now, TURN.work, (at) => feed(job.anchored(record, at)));
        return;
      }
    }
  };

  const isPresent = (client: number): boolean => state.progress.present.includes(job.addresses[client] as Hex);
  const join = (client: number, at: number): void => {
    if (!isPresent(client)) feed({ type: 'participantJoined', at, participant: job.addresses[client] as Hex });
  };

  return {
    get state() {
      return state;
    },
    join,
    leave: (client, at) => {
      if (isPresent(client)) feed({ type: 'participantLeft', at, participant: job.addresses[client] as Hex });
    },
    submit: (client, plan, parentRoot, samples, at) => {
      const statement = job.statement(plan, parentRoot, samples);
      const refusal = checkStatement(state, job.job, job.addresses[client] as Hex, statement);
      feed(refusal ? job.refused(statement, client, refusal, at) : job.accepted(statement, client, at));
      join(client, at);
      return refusal?.verdict ?? 'accepted';
    },
  };
}
