import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeRollCall } from '../../../coordinator/round/roll-call.ts';
import type { JobRules, JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash } from '../fixture.ts';
import { beginning } from './happenings.ts';
import { type Attempted, type Conduct, type Site, simulate, steady } from './simulated-federation.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const PEOPLE: readonly Hex[] = Array.from(
  { length: 6 },
  (_, at): Hex => `0x${((at + 1) * 17).toString(16).padStart(2, '0').repeat(20)}`,
);
const [A, B, C, D, E, F] = PEOPLE as [Hex, Hex, Hex, Hex, Hex, Hex];

const RULES: JobRules = {
  ...{ job: hash('job'), rounds: 20, expected: 6, quorum: 3, deadlineMs: 60 * MINUTE, retries: 3, lastSeed: 1000 },
  retryPauseMs: 10 * SECOND,
  pace: { leastMs: 10 * SECOND, quantilePercent: 90, slackPercent: 300, window: 8, late: 'credited' },
};

const quick = (participants: readonly Hex[]): Site[] => participants.map((one) => steady(one, 6 * SECOND));
const lengthOf = ({ openedAt, closedAt }: Attempted): number => closedAt - openedAt;

/** A site that answers like the others but for one round. */
function once(participant: Hex, oddRound: number, odd: Conduct): Site {
  const { conduct } = steady(participant, 6 * SECOND);
  return { participant, conduct: (round, opening) => (round === oddRound ? odd : conduct(round, opening)) };
}

describe('what operators complain of', () => {
  it.each<[string, Conduct]>([
    ['fails to train', { does: 'decline', afterMs: SECOND }],
    ['hangs', { does: 'hang' }],
    ['is away, noticed at once', { does: 'answer', afterMs: 59 * MINUTE }],
  ])("a single site's hiccup does not abort the run: it %s for a round", (_what, odd) => {
    const { state, attempts } = simulate(RULES, [...quick([A, B, C, D, E]), once(F, 7, odd)]);
    expect(state).toMatchObject({ phase: 'closed', progress: { rounds: 20, attempt: 0 } });
    // It is asked again in the very next round, and answers.
    for (const { round, asked, accepted } of attempts) {
      if (round !== 7) expect({ round, asked, accepted }).toEqual({ round, asked: PEOPLE, accepted: PEOPLE });
    }
  });

  it('two slow but healthy sites are not dropped while within their bounds, and the run never reports success without saying who was missing', () => {
    // Two large hospitals take 300 times as long as the others.
    const sites = [...quick([A, B, C, D]), steady(E, 30 * MINUTE), steady(F, 29 * MINUTE)];
    const { state, attempts } = simulate(RULES, sites);
    expect(state).toMatchObject({ phase: 'closed', progress: { rounds: 20 } });
    expect(attempts.map(({ accepted }) => accepted)).toEqual(Array.from({ length: 20 }, () => PEOPLE));

    // Beyond the bound that the manifest sets they are not waited for; then every success names them.
    const strict: JobRules = { ...RULES, deadlineMs: 20 * MINUTE };
    const hasty = simulate(strict, sites);
    expect(hasty.state.phase).toBe('closed');
    for (const attempt of hasty.attempts) {
      for (const one of PEOPLE) {
        if (attempt.accepted.includes(one)) continue;
        if (attempt.asked.includes(one)) expect(describeRollCall(attempt)).toMatch(new RegExp(`missing: .*${one}`));
        else expect([E, F]).toContain(one);
      }
      expect(attempt.accepted).toEqual(expect.arrayContaining([A, B, C, D]));
    }
  });

  it.each<[string, number | null]>([
    ['its connection is closed', 10 * SECOND],
    ['its connection stays half-open', null],
  ])('a dead site adds no time to later rounds: %s', (_how, noticedAfterMs) => {
    const dying: Site = {
      participant: F,
      conduct: (round) => (round < 5 ? { does: 'answer', afterMs: 6 * SECOND } : { does: 'die', noticedAfterMs }),
    };
    const { state, attempts } = simulate(RULES, [...quick([A, B, C, D, E]), dying]);
    expect(state.phase).toBe('closed');
    const usual = Math.max(...attempts.filter(({ round }) => round < 5).map(lengthOf));
    const fifth = attempts.find(({ round }) => round === 5);
    // The round it died in waits its deadline: three times what the slowest of them usually takes, not the whole hour.
    expect(fifth).toMatchObject({ missing: [F], closing: 'deadline' });
    expect(lengthOf(fifth as Attempted)).toBeLessThanOrEqual(3 * usual);
    for (const later of attempts.filter(({ round }) => round > 5)) {
      expect(lengthOf(later)).toBeLessThanOrEqual(usual);
      expect(later).toMatchObject({ asked: [A, B, C, D, E], missing: [] });
    }
  });

  it('a site that is there but never answers costs ever less: rounds wait for it ever more seldom', () => {
    const rules: JobRules = { ...RULES, rounds: 200 };
    const hanging: Site = { participant: F, conduct: () => ({ does: 'hang' }) };
    const { state, attempts } = simulate(rules, [...quick([A, B, C, D, E]), hanging]);
    expect(state.phase).toBe('closed');
    const waited = attempts.filter(({ missing }) => missing.includes(F)).map(({ round }) => round);
    expect(waited).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 192]);
  });

  it('a slow site that returns after an outage is waited for in its first round back', () => {
    const returning: Site = {
      participant: F,
      conduct: (round) => (round === 3 ? { does: 'hang' } : { does: 'answer', afterMs: 20 * MINUTE }),
    };
    const { attempts } = simulate(RULES, [...quick([A, B, C, D, E]), returning]);
    expect(attempts.find(({ round }) => round === 3)).toMatchObject({ missing: [F] });
    for (const { round, accepted } of attempts) if (round !== 3) expect(accepted).toEqual(PEOPLE);
  });

  it('a site that slows down beyond its own deadline misses one round, then gets the whole deadline and keeps up', () => {
    const slowing: Site = {
      participant: F,
      conduct: (round) => ({ does: 'answer', afterMs: round < 6 ? 6 * SECOND : 25 * MINUTE }),
    };
    const { attempts } = simulate(RULES, [...quick([A, B, C, D, E]), slowing]);
    expect(attempts.filter(({ missing }) => missing.length > 0).map(({ round }) => round)).toEqual([6]);
    expect(attempts.at(-1)?.accepted).toEqual(PEOPLE);
  });

  it('a timeout of a hundred hours does not hang silently: every deadline ends in a stated outcome, whatever the sites do', () => {
    const conduct: fc.Arbitrary<Conduct> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ does: fc.constant('answer' as const), afterMs: fc.nat(90 * MINUTE) }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('decline' as const), afterMs: fc.nat(MINUTE) }) },
      { weight: 1, arbitrary: fc.constant({ does: 'hang' as const }) },
      { weight: 1, arbitrary: fc.constant({ does: 'die' as const, noticedAfterMs: null }) },
    );
    const options = fc.record({
      pace: fc.boolean(),
      pause: fc.boolean(),
      sample: fc.option(fc.record({ size: fc.integer({ min: 3, max: 5 }), extra: fc.nat(2) }), { nil: undefined }),
    });
    const conducts = fc.array(fc.array(conduct, { minLength: 4, maxLength: 4 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(options, conducts, ({ pace, pause, sample }, all) => {
        const { pace: fair, retryPauseMs, ...base } = { ...RULES, rounds: 3 };
        const rules: JobRules = {
          ...base,
          ...(pace && fair && { pace: fair }),
          ...(pause && retryPauseMs !== undefined && { retryPauseMs }),
          ...(sample && { sample }),
        };
        const sites = all.map((list, at): Site => {
          const participant = PEOPLE[at] as Hex;
          return { participant, conduct: (_round, opening) => list[(opening - 1) % list.length] as Conduct };
        });
        const { state, attempts, events, endedAt } = simulate(rules, sites);
        // Nobody is left waiting on a clock: either it has ended, or it says that it waits for participants.
        if (state.phase === 'open') {
          expect(state.progress.present.length).toBeLessThan(state.need);
          expect(state.pausedUntil).toBeUndefined();
        } else expect(['closed', 'failed']).toContain(state.phase);
        // No attempt took longer than the longest deadline, and each says what became of everyone it asked.
        for (const attempt of attempts) {
          expect(lengthOf(attempt)).toBeLessThanOrEqual(rules.deadlineMs);
          const { accepted, declined, refused, missing, asked } = attempt;
          const told = [...accepted, ...missing, ...[...declined, ...refused].map(({ participant }) => participant)];
          expect(told).toEqual(expect.arrayContaining([...asked]));
          if (attempt.closing === 'deadline') expect(missing.length).toBeGreaterThan(0);
        }
        const most = (rules.rounds + rules.retries) * (2 * rules.deadlineMs + 100);
        expect(endedAt).toBeLessThanOrEqual(most);
        if (state.phase === 'failed') expect(state.reason).toMatch(/0x[0-9a-f]{40}/);
        const replayed = events.reduce<JobState>((before, event) => step(rules, before, event).state, beginning(rules));
        expect(replayed).toEqual(state);
      }),
      { numRuns: 300 },
    );
  });

  it('when everyone declines at once, retries are spread over time instead of being burnt in milliseconds', () => {
    const broken = PEOPLE.map(
      (participant): Site => ({
        participant,
        conduct: (_round, opening) =>
          opening <= 3 ? { does: 'decline', afterMs: 5 } : { does: 'answer', afterMs: SECOND },
      }),
    );
    const { state, attempts } = simulate(RULES, broken);
    expect(state).toMatchObject({ phase: 'closed', progress: { attempt: 3 } });
    const pauses = attempts.slice(1, 4).map(({ openedAt }, at) => openedAt - (attempts[at] as Attempted).closedAt);
    expect(pauses).toEqual([10 * SECOND, 20 * SECOND, 40 * SECOND]);
    // A round that has gone well starts from the first pause again.
    expect(state.progress.setbacks).toBe(0);
  });

  it('a job whose participants all go on declining fails with everyone named, after its pauses', () => {
    const broken = PEOPLE.map(
      (participant): Site => ({ participant, conduct: () => ({ does: 'decline', afterMs: 5 }) }),
    );
    const { state, endedAt } = simulate(RULES, broken);
    expect(state).toMatchObject({ phase: 'failed', code: 'round/quorum-missed' });
    for (const one of PEOPLE) expect(state.phase === 'failed' && state.reason).toContain(`${one} (trainer/failed)`);
    expect(endedAt).toBeGreaterThanOrEqual(70 * SECOND);
  });
});
