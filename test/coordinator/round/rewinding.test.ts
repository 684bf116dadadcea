import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkStatement } from '../../../coordinator/gate/check-statement.ts';
import { createJobIndex } from '../../../coordinator/job-index.ts';
import type { JobEvent, RoundsRewound } from '../../../coordinator/round/events.ts';
import { type JobRules, type JobState, type RoundResult, resultOf } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash } from '../fixture.ts';
import {
  ANY_RULES,
  accepted,
  aggregated,
  anchored,
  attemptOf,
  beginning,
  deadline,
  eventOf,
  failedToAggregate,
  HAPPENINGS,
  joined,
  PEOPLE,
  RULES,
  rewound,
} from './happenings.ts';

const FOUR = PEOPLE.slice(0, 4) as Hex[];

const run = (events: readonly JobEvent[], rules: JobRules = RULES, from: JobState = beginning(rules)): JobState =>
  events.reduce((state, event) => step(rules, state, event).state, from);

const gather = FOUR.map((participant) => joined(participant));
const collect = (round: number, attempt = 0): JobEvent[] =>
  FOUR.map((participant) => accepted(participant, { round, attempt }));
const whole = (round: number, attempt = 0): JobEvent[] => [
  ...collect(round, attempt),
  aggregated({ round, attempt }),
  anchored({ round, attempt }),
];

/** Where a job stands in each phase after two anchored rounds, but for the one that is about a third. */
const PHASES: Record<string, readonly JobEvent[]> = {
  collecting: [],
  'collecting a second attempt': [deadline({ round: 3, attempt: 0 }), ...FOUR.map((one) => joined(one))],
  aggregating: collect(3),
  anchoring: [...collect(3), aggregated({ round: 3, attempt: 0 })],
  closed: whole(3),
};

describe('a rewind', () => {
  const two = [...gather, ...whole(1), ...whole(2)];
  const afterOne = resultOf(run([...gather, ...whole(1)]).progress);

  it.each(Object.entries(PHASES))('takes a job that is %s back to the round before', (_phase, events) => {
    const before = run([...two, ...events]);
    const { state, effects } = step(RULES, before, rewound(2, 1, 7, afterOne));
    expect(state.phase).toBe('collecting');
    expect(state.progress).toMatchObject({ ...afterOne, rounds: 1 });
    if (state.phase !== 'collecting') return;
    const { plan } = state;
    expect(plan).toMatchObject({ round: 2, parentRoot: afterOne.modelRoot, updateBits: afterOne.updateBits });
    // Of a closed job the last plan was that of round 3; what came before it may have been opened once more.
    expect(plan.seedIndex).toBeGreaterThan(before.progress.rounds + 1 + before.progress.attempt);
    expect(plan.attempt).toBeGreaterThanOrEqual(1);
    expect(state.answers).toEqual({});
    expect(state.deadlineAt).toBe(7 + RULES.deadlineMs);
    expect(effects.map(({ type }) => type)).toEqual(['announce', 'armDeadline']);
  });

  it('of the round that is on its way to the chain opens it again', () => {
    const before = run([...two, ...collect(3), aggregated({ round: 3, attempt: 0 })]);
    const { state } = step(RULES, before, rewound(3, 1, 0, resultOf(before.progress)));
    expect(state).toMatchObject({ phase: 'collecting', plan: { round: 3, attempt: 1, seedIndex: 4 } });
  });

  it('that is known already changes nothing, nor does an earlier one', () => {
    const state = run([...two, rewound(2, 5, 0, afterOne)]);
    for (const minAttempt of [1, 4, 5]) {
      expect(step(RULES, state, rewound(1, minAttempt))).toEqual({ state, effects: [] });
    }
    expect(step(RULES, state, rewound(1, 6)).state.progress.rounds).toBe(0);
  });

  it('waits for a quorum like any round, and for an operator who has paused the job', () => {
    const away = run([...two, ...FOUR.map((one): JobEvent => ({ type: 'participantLeft', at: 0, participant: one }))]);
    expect(step(RULES, away, rewound(2, 1, 0, afterOne)).state).toMatchObject({ phase: 'open', need: 3 });
    const paused = run([...two, { type: 'jobPaused', at: 0, by: FOUR[0] as Hex, reason: '' }]);
    expect(step(RULES, paused, rewound(2, 1, 0, afterOne)).state.phase).toBe('open');
  });

  it('ends a job that its operator was about to stop, and leaves one that has failed where it is, with less', () => {
    const operator = { at: 0, by: FOUR[0] as Hex, reason: 'enough' };
    const stopping = run([...two, ...collect(3), { type: 'jobStopped', ...operator }]);
    expect(stopping.phase).toBe('aggregating');
    const stopped = step(RULES, stopping, rewound(2, 1, 0, afterOne)).state;
    expect(stopped).toMatchObject({ phase: 'failed', code: 'job/stopped', progress: { rounds: 1 } });
    const failed = run([...two, ...collect(3), failedToAggregate({ round: 3, attempt: 0 })]);
    const after = step(RULES, failed, rewound(2, 1, 0, afterOne)).state;
    expect(after).toMatchObject({
      phase: 'failed',
      code: 'rule/too-many-faulty',
      progress: { ...afterOne, rounds: 1 },
    });
  });

  it('costs no retry: the job has as many left as before', () => {
    const back = run([...two, rewound(1, 4)]);
    let state = back;
    for (let retry = 0; retry < RULES.retries; retry++) {
      const { round, attempt } = attemptOf(state);
      state = run([deadline({ round, attempt }), ...FOUR.map((one) => joined(one))], RULES, state);
      expect(state.phase).toBe('collecting');
    }
    state = run([deadline(attemptOf(state))], RULES, state);
    expect(state).toMatchObject({ phase: 'failed', code: 'round/quorum-missed' });
  });

  it('fails the job with a reason when there is no seed left that nobody has seen', () => {
    const rules: JobRules = { ...RULES, lastSeed: 5 };
    const state = run([...gather, ...whole(1), ...whole(2)], rules);
    expect(state.phase).toBe('collecting');
    const first = step(rules, state, rewound(1, 1)).state;
    expect(first).toMatchObject({ phase: 'collecting', plan: { round: 1, seedIndex: 4 } });
    const second = run([rewound(1, 9)], rules, first);
    expect(second).toMatchObject({ phase: 'failed', code: 'round/seeds-spent' });
  });

  it('drops what comes of the round that was open: neither answers, deadlines, results nor records count', () => {
    const before = run([...two, ...collect(3), aggregated({ round: 3, attempt: 0 })]);
    const state = run([rewound(2, 1, 0, afterOne)], RULES, before);
    const stale = [...collect(3), deadline({ round: 3, attempt: 0 }), aggregated({ round: 3, attempt: 0 })];
    for (const event of [...stale, anchored({ round: 3, attempt: 0 }), ...collect(2)]) {
      expect(step(RULES, state, event).effects).toEqual([]);
      expect(step(RULES, state, event).state).toMatchObject({ phase: 'collecting', answers: {} });
    }
  });

  it('makes an honest answer to a round that is gone late, not wrong', () => {
    const state = run([rewound(2, 1, 0, afterOne)], RULES, run(two));
    const verdict = (round: number, attempt: number) =>
      checkStatement(state, RULES.job, FOUR[0] as Hex, { job: RULES.job, round, attempt, samples: 1 })?.code;
    const { plan } = state as Extract<JobState, { phase: 'collecting' }>;
    expect(verdict(3, 0)).toBe('gate/late');
    expect(verdict(2, 0)).toBe('gate/late');
    expect(verdict(1, 0)).toBe('gate/late');
    expect(verdict(3, plan.attempt)).toBe('gate/wrong-round');
    expect(verdict(4, 0)).toBe('gate/wrong-round');
    expect(verdict(2, plan.attempt)).toBeUndefined();
  });
});

describe('a bond that is too small', () => {
  const short: JobEvent = { type: 'bondFellShort', at: 0, held: '1', needed: '2' };

  it('keeps rounds from opening until it is restored, and finishes the one that is open', () => {
    const waiting = run([short, ...gather]);
    expect(waiting).toMatchObject({ phase: 'open', progress: { unbonded: { held: '1', needed: '2' } } });
    expect(step(RULES, waiting, { type: 'bondRestored', at: 5 }).state).toMatchObject({
      phase: 'collecting',
      deadlineAt: 5 + RULES.deadlineMs,
    });
    const after = run([...gather, ...collect(1), short, aggregated({ round: 1, attempt: 0 })]);
    expect(after.phase).toBe('anchoring');
    expect(run([anchored({ round: 1, attempt: 0 })], RULES, after)).toMatchObject({ phase: 'open' });
  });
});

describe('rewinds among whatever else happens', () => {
  const WOVEN = fc.array(fc.tuple(fc.nat(9), fc.nat(4)), { maxLength: 12 });

  it('never use a round with its attempt, or a seed, twice; and lead back to what stood then', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(ANY_RULES, HAPPENINGS, WOVEN, (rules, happenings, woven) => {
        let state: JobState = beginning(rules);
        const start = resultOf(state.progress);
        const index = createJobIndex();
        const stood = new Map<number, RoundResult>([[0, start]]);
        let at = 0;
        let lastSeed = 0;
        let minAttempt = 0;
        const feed = (event: JobEvent): void => {
          const before = state;
          state = step(rules, before, event).state;
          index.add(event, state);
          if (event.type === 'roundAnchored' && before.phase === 'anchoring' && state.phase !== 'anchoring') {
            stood.set(state.progress.rounds, resultOf(state.progress));
          }
          const isNew = state.phase === 'collecting' && (before.phase !== 'collecting' || before.plan !== state.plan);
          if (!isNew || state.phase !== 'collecting') return;
          expect(state.plan.seedIndex).toBeGreaterThan(lastSeed);
          expect(state.plan.seedIndex).toBe(state.plan.round + state.plan.attempt);
          expect(state.plan.attempt).toBeGreaterThanOrEqual(minAttempt);
          lastSeed = state.plan.seedIndex;
        };
        happenings.forEach((happening, number) => {
          at += happening.afterMs;
          const rewind = woven.find(([place]) => place * 12 === number);
          if (rewind) {
            const { rounds, attempt } = state.progress;
            const firstRound = Math.max(1, rounds + 1 - rewind[1]);
            minAttempt = Math.max(minAttempt, attempt) + 1;
            const to = index.resultOf(Math.min(rounds, firstRound - 1)) ?? start;
            expect(to).toEqual(stood.get(Math.min(rounds, firstRound - 1)));
            const event: RoundsRewound = { ...rewound(firstRound, minAttempt, at, to), lastRound: rounds };
            seen.add(state.phase);
            feed(event);
            expect(resultOf(state.progress)).toEqual(to);
            for (let round = state.progress.rounds + 1; round <= rounds; round++) {
              expect(index.recordOf(round)).toBeUndefined();
            }
          }
          feed(eventOf(state, happening, at, String(number)));
        });
      }),
      { numRuns: 300 },
    );
    expect([...seen].sort()).toEqual(['aggregating', 'anchoring', 'closed', 'collecting', 'failed', 'open']);
  });

  it('leave no trace in a job that has none: the same states, member for member', () => {
    const state = run([...gather, ...whole(1), ...whole(2)]);
    expect(Object.keys(state.progress)).not.toContain('rewound');
    expect(Object.keys(state.progress)).not.toContain('unbonded');
    expect(state.progress.modelRoot).toBe(hash('model 2/0'));
  });
});
