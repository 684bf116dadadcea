import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectsOf } from '../../../coordinator/round/effects.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { Step } from '../../../coordinator/round/outcome.ts';
import { isWaitedFor, standingOf } from '../../../coordinator/round/standing.ts';
import type { Collecting, JobRules, JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import { byParticipant } from '../../../shared/commitments/contribution.ts';
import { sampleTicket } from '../../../shared/round/sampling.ts';
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
  let state: JobState = frozen(beginning(rules));
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

  it('admits exactly the accepted, by participant, when all expected or enough of a sample or for a buffer have answered or at the deadline with a quorum', () => {
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
          const told = { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature };
          const { parentRoot } = event.statement;
          const contribution = rules.buffer ? { ...told, parentRoot } : told;
          answers.set(participant, { verdict: 'accepted', contribution });
        } else if (event.type === 'updateRefused' || event.type === 'roundDeclined') {
          answers.set(participant, { verdict: event.type === 'roundDeclined' ? 'declined' : 'refused', code: '' });
        }
      }
      // Who is banned is not waited for any more, and keeps what was accepted before.
      if (event.type === 'participantBanned' && answers.get(event.participant)?.verdict !== 'accepted') {
        answers.set(event.participant, { verdict: 'declined', code: '' });
      }
      const admitted = [...answers.values()]
        .flatMap((answer) => (answer.verdict === 'accepted' ? [answer.contribution] : []))
        .sort(byParticipant);
      const { size = Number.POSITIVE_INFINITY } = rules.sample ?? rules.buffer ?? {};
      const isFull = admitted.length >= size;
      const isAnswered = isFull || before.expected.every((participant) => answers.has(participant));
      const isOver = isAnswered || (isOurs && event.type === 'deadlinePassed');
      const pauses = isAnswered && rules.retryPauseMs !== undefined;
      if (!isOver) expect(isSamePlan(before, state)).toBe(true);
      else if (admitted.length >= rules.quorum) expect(state).toMatchObject({ phase: 'aggregating', admitted });
      else if (before.plan.attempt === rules.retries)
        expect(state).toMatchObject({ phase: 'failed', code: 'round/quorum-missed' });
      else {
        const isQuorumThere = state.progress.present.length >= rules.quorum && !state.progress.paused;
        expect(state.phase).toBe(isQuorumThere && !pauses ? 'collecting' : 'open');
        expect(state.phase === 'open' && state.pausedUntil !== undefined).toBe(pauses);
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
        (before.phase === 'open' && state.phase === 'open' && before.pausedUntil !== state.pausedUntil) ||
        (before.phase === 'collecting' && !isSamePlan(before, state));
      expect(effects).toEqual(isEntered ? effectsOf(state) : []);
      if (state.phase === 'collecting') expect(effectsOf(state).map(({ type }) => type)).toContain('armDeadline');
      if (state.phase === 'open' && state.pausedUntil !== undefined) {
        expect(effectsOf(state).map(({ type }) => type)).toContain('armPause');
      }
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
          const { state, effects } = step(rules, last, event);
          expect(effects).toEqual([]);
          // Only the standing of whoever was late may have changed, where the rules give credit for it.
          const { standings = {}, ...progress } = state.progress;
          const { standings: before = {}, ...same } = last.progress;
          expect({ ...state, progress }).toEqual({ ...last, progress: same });
          if (event.type !== 'updateRefused') expect(standings).toEqual(before);
        }
      }),
    );
  });

  it('replays identically from a log that went through a wire format', () => {
    fc.assert(
      fc.property(ANY_RULES, HAPPENINGS, (rules, happenings) => {
        const moments = live(rules, happenings);
        const log = JSON.parse(JSON.stringify(moments.map(({ event }) => event))) as JobEvent[];
        const replayed = log.reduce<JobState>((state, event) => step(rules, state, event).state, beginning(rules));
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
          beginning(rules),
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
      beginning(rules),
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

describe('who is asked and waited for, whatever happens', () => {
  /** The moments at which a round opens. */
  function forAllOpenings(check: (opened: Collecting, rules: JobRules) => void): void {
    forAllMoments(({ before, state }, rules) => {
      if (state.phase !== 'collecting' || (before.phase === 'collecting' && isSamePlan(before, state))) return;
      check(state, rules);
    });
  }

  it('a round waits for those present and for nobody else, for at least a quorum of them', () => {
    forAllOpenings(({ expected, progress }, { quorum }) => {
      expect(progress.present).toEqual(expect.arrayContaining([...expected]));
      expect(expected.length).toBeGreaterThanOrEqual(quorum);
      expect(expected).toEqual([...expected].sort());
    });
  });

  it('a draw asks as many as the manifest says, by tickets of the seed revealed last, and can be drawn again', () => {
    forAllOpenings(({ expected, progress, plan, draw }, { sample, quorum }) => {
      if (!sample) {
        expect(draw).toBeUndefined();
        return;
      }
      const { seedIndex, seed } = draw ?? { seedIndex: -1, seed: '0x' };
      expect({ seedIndex, seed }).toEqual(progress.seed);
      expect(seedIndex).toBeLessThan(plan.seedIndex);
      const { standings = {}, present } = progress;
      const ready = present.filter((one) => isWaitedFor(standingOf(standings, one), plan));
      const eligible = ready.length >= quorum ? ready : present;
      expect(expected).toHaveLength(Math.min(eligible.length, sample.size + sample.extra));
      const byTicket = [...eligible].sort((a, b) =>
        sampleTicket(seed, plan, a) < sampleTicket(seed, plan, b) ? -1 : 1,
      );
      expect(expected).toEqual(byTicket.slice(0, expected.length).sort());
    });
  });

  it('a round waits as long as the one it waits longest for is given, within the bounds of the manifest', () => {
    forAllOpenings(({ expected, progress, wait, deadlineAt }, { pace, deadlineMs }) => {
      if (!pace) return;
      const { openedAt, lengthMs } = wait ?? { openedAt: null, lengthMs: 0 };
      expect(deadlineAt).toBe((openedAt ?? Number.NaN) + lengthMs);
      expect(lengthMs).toBeGreaterThanOrEqual(pace.leastMs);
      expect(lengthMs).toBeLessThanOrEqual(deadlineMs);
      const isNew = expected.some((one) => standingOf(progress.standings ?? {}, one).times.length === 0);
      if (isNew) expect(lengthMs).toBe(deadlineMs);
    });
  });

  it('nobody stops being present but by leaving, a ban, or being silent when asked until a deadline', () => {
    forAllMoments(({ before, event, state }) => {
      for (const one of before.progress.present) {
        if (state.progress.present.includes(one)) continue;
        if (event.type === 'participantLeft' || event.type === 'participantBanned') expect(event.participant).toBe(one);
        else {
          expect(event.type).toBe('deadlinePassed');
          expect(before).toMatchObject({ phase: 'collecting', expected: expect.arrayContaining([one]) });
          expect((before as Collecting).answers[one]).toBeUndefined();
        }
      }
    });
  });

  it('one that never answers is waited for ever more seldom, and never shut out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(1000), (misses, missedAt) => {
        const standing = { times: [], misses, missedAt, owes: null };
        const waits = Array.from({ length: 64 }, (_, more) =>
          isWaitedFor(standing, { seedIndex: missedAt + 1 + more }),
        );
        expect(waits.indexOf(true) + 1).toBe(2 ** Math.min(6, misses - 1));
        expect(waits.lastIndexOf(false)).toBeLessThan(waits.indexOf(true) + (misses === 1 ? 1 : 0));
      }),
    );
  });
});

const beginningRules: JobRules = {
  job: '0x',
  rounds: 1,
  expected: 4,
  quorum: 3,
  deadlineMs: 1000,
  retries: 0,
  lastSeed: 1000,
};

const ONE_PARTICIPANTS: readonly JobEvent['type'][] = [
  ...(['participantJoined', 'participantLeft', 'updateAccepted', 'updateRefused', 'roundDeclined'] as const),
  ...(['metricsReported', 'coordinatorRestarted'] as const),
];
