import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectsOf } from '../../../coordinator/round/effects.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { Collecting, JobRules, JobState } from '../../../coordinator/round/state.ts';
import { type Step, step } from '../../../coordinator/round/step.ts';
import { byParticipant } from '../../../shared/commitments/contribution.ts';
import {
  ANY_RULES,
  accepted,
  aggregated,
  anchored,
  attemptOf,
  beginning,
  declined,
  eventOf,
  HAPPENINGS,
  type Happening,
  joined,
  namedBy,
  PEOPLE,
} from './happenings.ts';

interface Moment extends Step {
  readonly before: JobState;
  readonly event: JobEvent;
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}

/** Runs a job through what happens; every state and event is frozen, so that a step that writes to one throws. */
function live(rules: JobRules, happenings: readonly Happening[]): Moment[] {
  let state: JobState = frozen(beginning(rules.expected));
  let at = 0;
  return happenings.map((happening, index) => {
    at += happening.afterMs;
    const before = state;
    const event = frozen(eventOf(state, happening, at, String(index)));
    const { state: after, effects } = step(rules, state, event);
    state = frozen(after);
    return { before, event, state, effects };
  });
}

function forAllMoments(check: (moment: Moment, rules: JobRules) => void): void {
  fc.assert(
    fc.property(ANY_RULES, HAPPENINGS, (rules, happenings) => {
      for (const moment of live(rules, happenings)) check(moment, rules);
    }),
  );
}

const isSamePlan = (a: Collecting, b: JobState): b is Collecting =>
  b.phase === 'collecting' && a.plan.round === b.plan.round && a.plan.attempt === b.plan.attempt;

describe('the round machine, whatever happens', () => {
  it('is exercised: the sequences reach every phase and change it in every documented way', () => {
    const seen = new Set<string>();
    const sample = fc.sample(fc.tuple(ANY_RULES, HAPPENINGS), { numRuns: 500, seed: 1 });
    for (const [rules, happenings] of sample) {
      for (const { before, state } of live(rules, happenings)) seen.add(`${before.phase} -> ${state.phase}`);
    }
    const documented = [
      'open -> collecting',
      ...['aggregating', 'collecting', 'open', 'failed'].map((phase) => `collecting -> ${phase}`),
      ...['anchoring', 'failed'].map((phase) => `aggregating -> ${phase}`),
      ...['collecting', 'open', 'closed'].map((phase) => `anchoring -> ${phase}`),
    ];
    const kept = ['open', 'collecting', 'aggregating', 'anchoring', 'closed', 'failed'].map(
      (phase) => `${phase} -> ${phase}`,
    );
    expect([...seen].sort()).toEqual([...new Set([...documented, ...kept])].sort());
  });

  it('never leaves an end, and keeps its reason', () => {
    forAllMoments(({ before, state }) => {
      if (before.phase !== 'closed' && before.phase !== 'failed') return;
      const { present: _before, ...progress } = before.progress;
      expect(state).toMatchObject({ ...before, progress });
    });
  });

  it('never replaces an accepted answer', () => {
    forAllMoments(({ before, state }) => {
      if (before.phase !== 'collecting' || !isSamePlan(before, state)) return;
      for (const [participant, answer] of Object.entries(before.answers)) {
        if (answer.verdict === 'accepted') expect(state.answers[participant as `0x${string}`]).toEqual(answer);
      }
    });
  });

  it('admits exactly the accepted, by participant, when all expected have answered or at the deadline with a quorum', () => {
    forAllMoments(({ before, event, state }, rules) => {
      if (before.phase !== 'collecting') return;
      const answers = new Map(Object.entries(before.answers));
      const about = namedBy(event);
      const isOurs = about?.round === before.plan.round && about.attempt === before.plan.attempt;
      if (isOurs && 'participant' in event && answers.get(event.participant)?.verdict !== 'accepted') {
        const { participant } = event;
        if (event.type === 'updateAccepted') {
          const { updateRoot, samples, largestMagnitude, datasetCommitment } = event.statement;
          const { signature } = event;
          const contribution = { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature };
          answers.set(participant, { verdict: 'accepted', contribution });
        } else if (event.type === 'updateRefused' || event.type === 'roundDeclined') {
          answers.set(participant, { verdict: event.type === 'roundDeclined' ? 'declined' : 'refused', code: '' });
        }
      }
      const admitted = [...answers.values()]
        .flatMap((answer) => (answer.verdict === 'accepted' ? [answer.contribution] : []))
        .sort(byParticipant);
      const isAnswered = before.expected.every((participant) => answers.has(participant));
      const isOver = isAnswered || (isOurs && event.type === 'deadlinePassed');
      if (!isOver) expect(isSamePlan(before, state)).toBe(true);
      else if (admitted.length >= rules.quorum) expect(state).toMatchObject({ phase: 'aggregating', admitted });
      else if (before.plan.attempt === rules.retries)
        expect(state).toMatchObject({ phase: 'failed', code: 'round/quorum-missed' });
      else {
        const isQuorumThere = state.progress.present.length >= rules.quorum;
        expect(state.phase).toBe(isQuorumThere ? 'collecting' : 'open');
        expect(state.progress.attempt).toBe(before.plan.attempt + 1);
      }
    });
  });

  it('uses no seed twice: the index rises with every plan and stays within the chain', () => {
    fc.assert(
      fc.property(ANY_RULES, HAPPENINGS, (rules, happenings) => {
        let last = 0;
        for (const { before, state } of live(rules, happenings)) {
          if (state.phase !== 'collecting' || (before.phase === 'collecting' && isSamePlan(before, state))) continue;
          expect(state.plan.seedIndex).toBeGreaterThan(last);
          expect(state.plan.seedIndex).toBeLessThanOrEqual(rules.rounds + rules.retries);
          last = state.plan.seedIndex;
        }
      }),
    );
  });

  it('asks on entering a state for exactly what the state waits for, and for nothing otherwise', () => {
    forAllMoments(({ before, event, state, effects }) => {
      const isEntered =
        before.phase !== state.phase ||
        event.type === 'coordinatorRestarted' ||
        (before.phase === 'collecting' && !isSamePlan(before, state));
      expect(effects).toEqual(isEntered ? effectsOf(state) : []);
      if (state.phase === 'collecting') expect(effectsOf(state).map(({ type }) => type)).toContain('armDeadline');
    });
  });

  it('takes the same event twice as it takes it once', () => {
    forAllMoments(({ event, state }, rules) => {
      expect(step(rules, state, event).state).toEqual(state);
    });
  });

  it('ignores belated events of rounds and attempts that are over', () => {
    fc.assert(
      fc.property(ANY_RULES, HAPPENINGS, (rules, happenings) => {
        const moments = live(rules, happenings);
        const last = moments.at(-1)?.state as JobState;
        const current = attemptOf(last);
        for (const { event } of moments) {
          const named = namedBy(event);
          if (!named || (named.round === current.round && named.attempt === current.attempt)) continue;
          expect(step(rules, last, event)).toEqual({ state: last, effects: [] });
        }
      }),
    );
  });

  it('replays identically from a log that went through a wire format', () => {
    fc.assert(
      fc.property(ANY_RULES, HAPPENINGS, (rules, happenings) => {
        const moments = live(rules, happenings);
        const log = JSON.parse(JSON.stringify(moments.map(({ event }) => event))) as JobEvent[];
        const replayed = log.reduce<JobState>(
          (state, event) => step(rules, state, event).state,
          beginning(rules.expected),
        );
        expect(replayed).toEqual(moments.at(-1)?.state);
      }),
    );
  });

  it('reaches its end whatever one participant does, where a quorum of others answers', () => {
    fc.assert(
      fc.property(HAPPENINGS, fc.integer({ min: 1, max: 3 }), fc.nat(2), (happenings, rounds, retries) => {
        const rules: JobRules = { ...beginningRules, rounds, retries };
        const steady = PEOPLE.slice(1, 4);
        let state = [...steady, PEOPLE[0] as `0x${string}`].reduce<JobState>(
          (before, one) => step(rules, before, joined(one)).state,
          beginning(rules.expected),
        );
        const queue = happenings.filter(({ kind }) => ONE_PARTICIPANTS.includes(kind));
        for (let turn = 0; state.phase !== 'closed' && turn < 50; turn++) {
          const odd = queue[turn];
          if (odd) state = step(rules, state, eventOf(state, { ...odd, who: 0 }, turn, String(turn))).state;
          const about = attemptOf(state);
          for (const one of steady) state = step(rules, state, accepted(one, about, turn)).state;
          // The odd one may be silent: then the deadline ends the round.
          state = step(rules, state, { type: 'deadlinePassed', at: turn, ...about }).state;
          state = step(rules, state, aggregated(about)).state;
          state = step(rules, state, anchored(about)).state;
        }
        expect(state).toMatchObject({ phase: 'closed', progress: { rounds } });
      }),
    );
  });

  it('closes a job in which one participant declines every round', () => {
    const rules: JobRules = { ...beginningRules, rounds: 3, retries: 0 };
    let state = PEOPLE.slice(0, 4).reduce<JobState>(
      (before, one) => step(rules, before, joined(one)).state,
      beginning(rules.expected),
    );
    for (let round = 1; round <= 3; round++) {
      const about = { round, attempt: 0 };
      const [odd, ...others] = PEOPLE.slice(0, 4) as [`0x${string}`, ...`0x${string}`[]];
      for (const event of [
        declined(odd, about),
        ...others.map((one) => accepted(one, about)),
        aggregated(about),
        anchored(about),
      ]) {
        state = step(rules, state, event).state;
      }
    }
    expect(state.phase).toBe('closed');
  });
});

const beginningRules: JobRules = { job: '0x', rounds: 1, expected: 4, quorum: 3, deadlineMs: 1000, retries: 0 };

const ONE_PARTICIPANTS: readonly JobEvent['type'][] = [
  ...(['participantJoined', 'participantLeft', 'updateAccepted', 'updateRefused', 'roundDeclined'] as const),
  ...(['metricsReported', 'coordinatorRestarted'] as const),
];
