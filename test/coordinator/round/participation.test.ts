import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { describeRollCall, rollCallOf } from '../../../coordinator/round/roll-call.ts';
import { rollCallAfter } from '../../../coordinator/round/roll-calls.ts';
import { allowanceMs, standingOf } from '../../../coordinator/round/standing.ts';
import type { Collecting, JobRules, JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import type { Pace } from '../../../shared/round/participation.ts';
import { isAsked } from '../../../shared/round/sampling.ts';
import { hash } from '../fixture.ts';
import {
  accepted,
  aggregated,
  anchored,
  beginning,
  deadline,
  declined,
  joined,
  left,
  PEOPLE,
  pauseEnded,
  RULES,
  refused,
  restarted,
} from './happenings.ts';

const [A, B, C, D, E] = PEOPLE as [Hex, Hex, Hex, Hex, Hex];
const FIRST = { round: 1, attempt: 0 };
const SECOND = { round: 2, attempt: 0 };
const PACE: Pace = { leastMs: 100, quantilePercent: 90, slackPercent: 200, window: 4, late: 'credited' };

function run(rules: JobRules, events: readonly JobEvent[], from: JobState = beginning(rules)): JobState {
  return events.reduce((state, event) => step(rules, state, event).state, from);
}

function collecting(rules: JobRules, events: readonly JobEvent[], from?: JobState): Collecting {
  const state = run(rules, events, from);
  if (state.phase !== 'collecting') throw new Error(`expected collecting, found ${state.phase}`);
  return state;
}

const arrive = (people: readonly Hex[], at = 0): JobEvent[] => people.map((one) => joined(one, at));
const late = (participant: Hex, about: { round: number; attempt: number }, at: number): JobEvent => {
  const event = refused(participant, about, at);
  if (event.type !== 'updateRefused') throw new Error(event.type);
  return { ...event, receipt: { ...event.receipt, verdict: 'late', code: 'gate/late' } };
};

describe('a sample', () => {
  const rules: JobRules = { ...RULES, expected: 5, quorum: 2, sample: { size: 2, extra: 1 } };

  it('is drawn from the commitment in round 1, and from the seed of the round before in every other', () => {
    const first = collecting(rules, arrive(PEOPLE));
    expect(first.draw).toMatchObject({ seedIndex: 0, seed: hash('commitment') });
    expect(first.expected).toHaveLength(3);
    const second = collecting(
      rules,
      [...first.expected.slice(0, 2).map((one) => accepted(one, FIRST)), aggregated(FIRST), anchored(FIRST)],
      first,
    );
    expect(second.plan).toMatchObject(SECOND);
    expect(second.draw).toMatchObject({ seedIndex: 1, seed: hash('seed 1/0') });
  });

  it('is drawn anew for another attempt at the same round, from the same seed', () => {
    const seen = new Set<string>();
    let state = collecting({ ...rules, retries: 20 }, arrive(PEOPLE));
    for (let attempt = 0; attempt < 20; attempt++) {
      expect(state.draw?.seedIndex).toBe(0);
      seen.add(state.expected.join());
      const about = { round: 1, attempt };
      state = collecting(
        { ...rules, retries: 20 },
        state.expected.map((one) => declined(one, about)),
        state,
      );
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it('closes as soon as as many updates as it takes are accepted (k of n), and holds it against nobody', () => {
    const state = collecting({ ...rules, pace: PACE }, arrive(PEOPLE));
    const [quick, other, slow] = state.expected as [Hex, Hex, Hex];
    const closed = run({ ...rules, pace: PACE }, [accepted(quick, FIRST, 5), accepted(other, FIRST, 6)], state);
    expect(closed).toMatchObject({ phase: 'aggregating', progress: { present: PEOPLE } });
    expect(standingOf(closed.progress.standings ?? {}, slow)).toMatchObject({ misses: 0, owes: FIRST });
    const call = rollCallOf({ ...state, answers: { [quick]: { verdict: 'declined', code: 'x' } } }, 'answered');
    expect(call).toMatchObject({ closing: 'sample', missing: expect.arrayContaining([slow]), asked: state.expected });
    expect(describeRollCall(call)).toContain('not needed: ');
  });

  it('goes on without those who decline, down to the quorum', () => {
    const state = collecting(rules, arrive(PEOPLE));
    const [one, two, three] = state.expected as [Hex, Hex, Hex];
    expect(run(rules, [declined(one, FIRST), accepted(two, FIRST), accepted(three, FIRST)], state)).toMatchObject({
      phase: 'aggregating',
      admitted: [{ participant: two }, { participant: three }],
    });
  });

  it('asks everyone when there are no more than it asks, and takes whoever comes then', () => {
    const state = collecting({ ...rules, expected: 3 }, arrive([A, B, C]));
    expect(state).toMatchObject({ expected: [A, B, C], draw: { cut: null } });
    expect(isAsked(state.draw, state.plan, E)).toBe(true);
  });

  it('leaves those it did not ask present: they are drawn from in the next round, whatever became of this one', () => {
    const state = collecting(rules, arrive(PEOPLE));
    const after = run(rules, [deadline(FIRST, 2000)], state);
    const unasked = PEOPLE.filter((one) => !state.expected.includes(one));
    expect(after.progress.present).toEqual(unasked);
  });
});

describe('a pace', () => {
  const rules: JobRules = { ...RULES, deadlineMs: 10_000, pace: PACE };

  /** A job after round 1, in which they took these times. */
  function afterFirst(times: Readonly<Record<Hex, number>>): Collecting {
    const answers = Object.entries(times).map(([one, tookMs]) => accepted(one as Hex, FIRST, 1000 + tookMs));
    const sorted = answers.sort((a, b) => a.at - b.at);
    return collecting(rules, [
      ...arrive([A, B, C, D], 1000),
      ...sorted,
      aggregated(FIRST, 20_000),
      anchored(FIRST, 20_000),
    ]);
  }

  it('gives the whole deadline to whoever was never seen', () => {
    expect(collecting(rules, arrive([A, B, C, D], 1000))).toMatchObject({
      deadlineAt: 11_000,
      wait: { openedAt: 1000, lengthMs: 10_000 },
    });
  });

  it('then waits as the slowest of them needs, with slack', () => {
    const state = afterFirst({ [A]: 200, [B]: 300, [C]: 1500, [D]: 400 });
    expect(state).toMatchObject({ deadlineAt: 23_000, wait: { openedAt: 20_000, lengthMs: 3000 } });
  });

  it('never waits less than the manifest says, or more', () => {
    expect(afterFirst({ [A]: 1, [B]: 2, [C]: 3, [D]: 4 }).wait?.lengthMs).toBe(100);
    expect(afterFirst({ [A]: 1, [B]: 2, [C]: 3, [D]: 9000 }).wait?.lengthMs).toBe(10_000);
  });

  it.each<[readonly number[], number, number, number]>([
    [[], 90, 200, 10_000],
    [[500], 50, 100, 500],
    [[500, 100, 300, 200, 400], 100, 100, 500],
    [[500, 100, 300, 200, 400], 60, 100, 300],
    [[500, 100, 300, 200, 400], 61, 100, 400],
    [[333], 90, 150, 500],
  ])('of %j the quantile %i with slack %i gives %i ms', (times, quantilePercent, slackPercent, expected) => {
    const pace = { ...PACE, quantilePercent, slackPercent };
    expect(allowanceMs(pace, 10_000, { times, misses: 0, missedAt: 0, owes: null })).toBe(expected);
  });

  it('remembers as many times as the window holds', () => {
    let state: JobState = collecting(rules, arrive([A, B, C, D]));
    for (let round = 1; round <= 3; round++) {
      const about = { round, attempt: 0 };
      const { plan, wait } = state as Collecting;
      expect(plan.round).toBe(round);
      const openedAt = wait?.openedAt ?? 0;
      const answers = [A, B, C, D].map((one) => accepted(one, about, openedAt + 10 * round));
      state = run(
        { ...rules, rounds: 9, pace: { ...PACE, window: 2 } },
        [...answers, aggregated(about), anchored(about, 9)],
        state,
      );
    }
    expect(standingOf(state.progress.standings ?? {}, A).times).toEqual([20, 30]);
  });

  it('learns nothing from a round in which the coordinator restarted, and waits as long again', () => {
    const before = afterFirst({ [A]: 200, [B]: 300, [C]: 400, [D]: 500 });
    const state = collecting(rules, [restarted(500_000)], before);
    expect(state).toMatchObject({ deadlineAt: 501_000, wait: { openedAt: null, lengthMs: 1000 } });
    const answered = run(rules, [accepted(A, SECOND, 500_001)], state);
    expect(standingOf(answered.progress.standings ?? {}, A).times).toEqual([200]);
  });

  it('learns nothing from times that a clock set back has made negative', () => {
    const before = afterFirst({ [A]: 200, [B]: 300, [C]: 400, [D]: 500 });
    const answered = run(rules, [accepted(A, SECOND, 5)], before);
    expect(standingOf(answered.progress.standings ?? {}, A).times).toEqual([200]);
  });

  it('does not take a refusal or a decline for a time, but for a sign of life', () => {
    const missed = collecting(rules, [
      ...arrive([A, B, C, D]),
      ...[A, B, C].map((one) => accepted(one, FIRST, 9)),
      deadline(FIRST, 10_000),
      aggregated(FIRST),
      joined(D),
      anchored(FIRST, 10_000),
    ]);
    expect(standingOf(missed.progress.standings ?? {}, D)).toMatchObject({ misses: 1, missedAt: 1, times: [] });
    for (const answer of [refused(D, SECOND, 10_005), declined(D, SECOND, 10_005)]) {
      const { progress } = run(rules, [answer], missed);
      expect(standingOf(progress.standings ?? {}, D)).toEqual({ times: [], misses: 0, missedAt: 0, owes: null });
    }
  });
});

describe('an answer that comes too late', () => {
  const rules: JobRules = { ...RULES, deadlineMs: 10_000, pace: PACE };
  const missing = run(rules, [
    ...arrive([A, B, C, D]),
    ...[A, B, C].map((one) => accepted(one, FIRST, 50)),
    deadline(FIRST, 10_000),
  ]);

  it('is credited where the manifest says so: its time counts, its silence no longer does', () => {
    expect(standingOf(missing.progress.standings ?? {}, D)).toMatchObject({ misses: 1, owes: { openedAt: 0 } });
    const { state, effects } = step(rules, missing, late(D, FIRST, 12_345));
    expect(effects).toEqual([]);
    expect(standingOf(state.progress.standings ?? {}, D)).toEqual({
      ...{ times: [12_345], misses: 0, missedAt: 0, owes: null },
    });
    // In whatever phase the job is by then.
    const later = run(rules, [aggregated(FIRST), anchored(FIRST, 11_000)], missing);
    expect(later.phase).toBe('collecting');
    expect(standingOf(run(rules, [late(D, FIRST, 12_345)], later).progress.standings ?? {}, D).times).toEqual([12_345]);
  });

  it('is credited once, to one who was asked, for the round it was asked in', () => {
    const once = run(rules, [late(D, FIRST, 12_345)], missing);
    expect(run(rules, [late(D, FIRST, 99_999)], once)).toEqual(once);
    for (const other of [
      late(D, SECOND, 1),
      late(D, { round: 1, attempt: 1 }, 1),
      late(A, FIRST, 1),
      late(E, FIRST, 1),
    ]) {
      expect(run(rules, [other], missing)).toEqual(missing);
    }
  });

  it('is ignored where the manifest says so', () => {
    const strict: JobRules = { ...rules, pace: { ...PACE, late: 'ignored' } };
    expect(run(strict, [late(D, FIRST, 12_345)], missing)).toEqual(missing);
  });

  it('never becomes part of a round: not of its own, which is over, nor of the next', () => {
    const later = run(rules, [aggregated(FIRST), anchored(FIRST, 11_000), late(D, FIRST, 12_345)], missing);
    expect(later).toMatchObject({ phase: 'collecting', answers: {} });
    expect(missing).toMatchObject({ phase: 'aggregating', admitted: [{}, {}, {}] });
  });
});

describe('a pause after an attempt that failed at once', () => {
  const rules: JobRules = { ...RULES, deadlineMs: 10_000, retryPauseMs: 500 };
  const all = (about: { round: number; attempt: number }, at: number): JobEvent[] =>
    [A, B, C, D].map((one) => declined(one, about, at));
  const paused = run(rules, [...arrive([A, B, C, D], 100), ...all(FIRST, 200)]);

  it('is waited for in open, with a timer', () => {
    expect(paused).toMatchObject({ phase: 'open', need: 3, pausedUntil: 700, progress: { attempt: 1, setbacks: 1 } });
    const { effects } = step(rules, paused, restarted(300));
    expect(effects).toEqual([{ type: 'announce' }, { type: 'armPause', round: 1, attempt: 1, pausedUntil: 700 }]);
  });

  it('is not cut short by those who join meanwhile', () => {
    expect(run(rules, [joined(E, 300)], paused)).toMatchObject({ phase: 'open', progress: { present: PEOPLE } });
  });

  it('ends with the next attempt, if enough are there; else in waiting for them', () => {
    const about = { round: 1, attempt: 1 };
    expect(run(rules, [pauseEnded(about, 700)], paused)).toMatchObject({ phase: 'collecting', plan: about });
    const few = run(rules, [left(A), left(B), pauseEnded(about, 700)], paused);
    expect(few).toMatchObject({ phase: 'open', progress: { present: [C, D] } });
    expect(few.phase === 'open' && few.pausedUntil).toBeUndefined();
    expect(run(rules, [joined(A, 800)], few)).toMatchObject({ phase: 'collecting', plan: about });
  });

  it('is not ended by what is not its end', () => {
    for (const other of [pauseEnded(FIRST, 700), pauseEnded({ round: 2, attempt: 1 }, 700), deadline(FIRST, 700)]) {
      expect(run(rules, [other], paused)).toEqual(paused);
    }
  });

  it('does not outlast a clock that was set back', () => {
    const back = run(rules, [restarted(-1_000_000)], paused);
    expect(back.phase === 'open' && back.pausedUntil).toBe(-990_000);
  });

  it('is not made where a deadline has passed: that was pause enough', () => {
    const state = run(rules, [...arrive([A, B, C, D], 100), ...all(FIRST, 200).slice(0, 3), deadline(FIRST, 10_100)]);
    expect(state).toMatchObject({ phase: 'collecting', plan: { attempt: 1 }, expected: [A, B, C] });
  });
});

describe('at a deadline', () => {
  it('one who joined meanwhile and was not asked is not taken for silent', () => {
    const state = run(RULES, [
      ...arrive([A, B, C, D]),
      ...[A, B, C].map((one) => accepted(one, FIRST)),
      joined(E),
      deadline(FIRST),
    ]);
    expect(state).toMatchObject({ phase: 'aggregating', progress: { present: [A, B, C, E] } });
  });

  it('a job that fails names everyone who is to be looked for', () => {
    const state = run({ ...RULES, retries: 0 }, [
      ...arrive([A, B, C, D]),
      accepted(A, FIRST),
      declined(B, FIRST),
      refused(C, FIRST),
      deadline(FIRST),
    ]);
    expect(state.phase === 'failed' && state.reason).toBe(
      "round 1 closed with 1 updates where 3 are needed, and the job's 0 retries are spent; 1 updates of 4 asked; " +
        `missing: ${D}; declined: ${B} (trainer/failed); refused: ${C} (gate/out-of-range)`,
    );
  });

  it('a ban or a stop that ends collection is told for what it is', () => {
    const state = collecting(RULES, [...arrive([A, B, C, D]), ...[A, B, C].map((one) => accepted(one, FIRST))]);
    const by = { at: 5, by: E, reason: '' };
    expect(rollCallAfter(RULES, state, { type: 'participantBanned', participant: D, ...by })).toMatchObject({
      ...{ closing: 'answered', accepted: [A, B, C], missing: [] },
      declined: [{ participant: D, code: 'participant/banned' }],
    });
    expect(rollCallAfter(RULES, state, { type: 'jobStopped', ...by })).toMatchObject({
      ...{ closing: 'stopped', accepted: [A, B, C], missing: [D], declined: [] },
    });
  });

  it('of many names a sentence lists ten', () => {
    const many = Array.from({ length: 25 }, (_, at): Hex => `0x${at.toString(16).padStart(40, '0')}`);
    const plan = { ...FIRST, parentRoot: hash('m'), updateBits: 12, seedIndex: 1 };
    const told = describeRollCall(rollCallOf({ plan, expected: many, answers: {} }, 'deadline'));
    expect(told).toContain(', and 15 more');
    expect(told).toContain(many[9]);
    expect(told).not.toContain(many[10]);
  });
});
