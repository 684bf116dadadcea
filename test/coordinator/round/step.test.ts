import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { Collecting, JobRules, JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash } from '../fixture.ts';
import {
  accepted,
  aggregated,
  anchored,
  beginning,
  deadline,
  declined,
  failedToAggregate,
  joined,
  left,
  PEOPLE,
  RULES,
  refused,
  restarted,
} from './happenings.ts';

const [A, B, C, D, E] = PEOPLE as [Hex, Hex, Hex, Hex, Hex];
const FIRST = { round: 1, attempt: 0 };
const AGAIN = { round: 1, attempt: 1 };

function run(events: readonly JobEvent[], rules: JobRules = RULES, from: JobState = beginning(rules)): JobState {
  return events.reduce((state, event) => step(rules, state, event).state, from);
}

const JOINED = [A, B, C, D].map((participant) => joined(participant, 100));

function collecting(events: readonly JobEvent[] = []): Collecting {
  const state = run([...JOINED, ...events]);
  if (state.phase !== 'collecting') throw new Error(`expected collecting, found ${state.phase}`);
  return state;
}

describe('open', () => {
  it('waits until as many as expected are present, and says how many it needs', () => {
    const state = run(JOINED.slice(0, 3));
    expect(state).toMatchObject({ phase: 'open', need: 4, progress: { present: [A, B, C] } });
  });

  it('opens round 1 with the last one, in participant order, with a deadline', () => {
    const before = run([joined(D), joined(B), joined(A)]);
    const { state, effects } = step(RULES, before, joined(C, 100));
    expect(state).toMatchObject({
      phase: 'collecting',
      expected: [A, B, C, D],
      answers: {},
      deadlineAt: 1100,
      plan: { round: 1, attempt: 0, parentRoot: hash('model 0'), updateBits: 12, seedIndex: 1 },
    });
    expect(effects).toEqual([{ type: 'announce' }, { type: 'armDeadline', ...FIRST, deadlineAt: 1100 }]);
  });

  it('forgets who leaves and does not count one participant twice', () => {
    expect(run([joined(A), joined(A), left(B), joined(B), left(A), left(A)]).progress.present).toEqual([B]);
  });

  it('waits for ever with nobody there: no event but a join moves it', () => {
    const others = [restarted(5), deadline(FIRST), aggregated(FIRST), anchored(FIRST), accepted(A, FIRST)];
    expect(run(others)).toEqual(beginning());
  });

  it('opens with one participant where one is enough', () => {
    const rules = { ...RULES, expected: 1, quorum: 1 };
    expect(run([joined(A)], rules).phase).toBe('collecting');
  });
});

describe('collecting', () => {
  it('keeps answers and goes on while any expected one is missing', () => {
    const state = collecting([accepted(A, FIRST), refused(B, FIRST), declined(C, FIRST)]);
    expect(Object.keys(state.answers).sort()).toEqual([A, B, C]);
    expect(state.answers[B]).toEqual({ verdict: 'refused', code: 'gate/out-of-range' });
    expect(state.answers[C]).toEqual({ verdict: 'declined', code: 'trainer/failed' });
  });

  it('closes when all have answered, one of them by declining: a training failure does not end the job', () => {
    const state = run([...JOINED, accepted(D, FIRST), declined(B, FIRST), accepted(A, FIRST), accepted(C, FIRST)]);
    expect(state.phase).toBe('aggregating');
    expect(state.phase === 'aggregating' && state.admitted.map(({ participant }) => participant)).toEqual([A, C, D]);
  });

  it('lets an accepted update stand against every later answer of its sender', () => {
    const first = collecting([accepted(A, FIRST, 1, 'first')]);
    const later = [accepted(A, FIRST, 2, 'second'), refused(A, FIRST, 3), declined(A, FIRST, 4)];
    expect(run(later, RULES, first)).toEqual(first);
  });

  it('lets a rejected or declined answer be replaced by an accepted one', () => {
    for (const before of [refused(A, FIRST), declined(A, FIRST)]) {
      expect(collecting([before, accepted(A, FIRST)]).answers[A]?.verdict).toBe('accepted');
    }
  });

  it('takes an update of one who was not expected, and waits for it from then on', () => {
    const state = run([...JOINED, accepted(E, FIRST), ...[A, B, C, D].map((one) => accepted(one, FIRST))]);
    expect(state.phase === 'aggregating' && state.admitted.map(({ participant }) => participant)).toEqual(PEOPLE);
    expect(state.progress.present).toEqual(PEOPLE);
  });

  it('does not close early on answers of those it does not wait for', () => {
    expect(run([...JOINED, ...[A, B, C, E].map((one) => accepted(one, FIRST))]).phase).toBe('collecting');
  });

  it('closes at the deadline with a quorum, and no longer waits for the silent', () => {
    const state = run([...JOINED, ...[A, B, C].map((one) => accepted(one, FIRST)), deadline(FIRST)]);
    expect(state).toMatchObject({ phase: 'aggregating', progress: { present: [A, B, C] } });
  });

  it('starts over below the quorum, with the next attempt and seed and a fresh deadline', () => {
    const answers = [accepted(A, FIRST), declined(B, FIRST), refused(C, FIRST)];
    const { state, effects } = step(RULES, collecting(answers), deadline(FIRST, 2000));
    expect(state).toMatchObject({
      phase: 'collecting',
      plan: { ...AGAIN, seedIndex: 2, parentRoot: hash('model 0') },
      expected: [A, B, C],
      answers: {},
      deadlineAt: 3000,
    });
    expect(effects).toContainEqual({ type: 'armDeadline', ...AGAIN, deadlineAt: 3000 });
  });

  it('starts over at once when all have answered and too few were accepted', () => {
    const state = run([
      ...JOINED,
      ...[A, B].map((one) => accepted(one, FIRST)),
      declined(C, FIRST),
      declined(D, FIRST),
    ]);
    expect(state).toMatchObject({ phase: 'collecting', plan: AGAIN, expected: [A, B, C, D] });
  });

  it('waits in open for a quorum when too few are left, and goes on with it rather than with all', () => {
    const open = run([...JOINED, accepted(A, FIRST), deadline(FIRST)]);
    expect(open).toMatchObject({ phase: 'open', need: 3, progress: { attempt: 1, present: [A] } });
    expect(run([joined(B), joined(C)], RULES, open)).toMatchObject({ phase: 'collecting', plan: AGAIN });
  });

  it('waits in open when the deadline finds nobody', () => {
    expect(run([...JOINED, deadline(FIRST)])).toMatchObject({ phase: 'open', progress: { attempt: 1, present: [] } });
  });

  it('fails with a reason when the retries are spent', () => {
    let state: JobState = collecting();
    for (let attempt = 0; attempt <= RULES.retries; attempt++) {
      const about = { round: 1, attempt };
      expect(state).toMatchObject({ phase: 'collecting', plan: about });
      state = run(
        [A, B, C, D].map((one) => declined(one, about)),
        RULES,
        state,
      );
    }
    expect(state).toMatchObject({ phase: 'failed', code: 'round/quorum-missed' });
    expect(state.phase === 'failed' && state.reason).toContain('round 1 closed with 0 updates where 3 are needed');
  });

  it('fails at the first missed quorum where no retries are allowed', () => {
    expect(run([...JOINED, deadline(FIRST)], { ...RULES, retries: 0 })).toMatchObject({ phase: 'failed' });
  });

  it('keeps waiting for one who left until the deadline, for it may come back', () => {
    const state = run([...JOINED, left(D), ...[A, B, C].map((one) => accepted(one, FIRST))]);
    expect(state).toMatchObject({ phase: 'collecting', expected: [A, B, C, D], progress: { present: [A, B, C] } });
    expect(run([deadline(FIRST)], RULES, state).phase).toBe('aggregating');
  });

  it('leaves one who joins meanwhile for the next round', () => {
    const state = collecting([joined(E)]);
    expect(state.expected).toEqual([A, B, C, D]);
    expect(state.progress.present).toEqual(PEOPLE);
  });

  it('ignores answers and deadlines of another round or attempt', () => {
    const state = collecting([accepted(A, FIRST)]);
    for (const about of [AGAIN, { round: 2, attempt: 0 }, { round: 0, attempt: 0 }]) {
      for (const event of [accepted(B, about), refused(B, about), declined(B, about), deadline(about)]) {
        expect(step(RULES, state, event)).toEqual({ state, effects: [] });
      }
    }
  });

  it('gives everyone a whole deadline again after a restart, and keeps their answers', () => {
    const before = collecting([accepted(A, FIRST)]);
    const { state, effects } = step(RULES, before, restarted(50_000));
    expect(state).toEqual({ ...before, deadlineAt: 51_000 });
    expect(effects).toContainEqual({ type: 'armDeadline', ...FIRST, deadlineAt: 51_000 });
  });
});

const CLOSED_COLLECTION = [...JOINED, ...[A, B, C, D].map((one) => accepted(one, FIRST))];

describe('aggregating', () => {
  it('asks for the round function over the admitted updates, and again after a restart', () => {
    const { state, effects } = step(RULES, run(CLOSED_COLLECTION.slice(0, -1)), CLOSED_COLLECTION.at(-1) as JobEvent);
    if (state.phase !== 'aggregating') throw new Error(state.phase);
    const asked = { type: 'aggregate', progress: state.progress, plan: state.plan, admitted: state.admitted };
    expect(effects).toEqual([{ type: 'announce' }, asked]);
    expect(step(RULES, state, restarted())).toEqual({ state, effects });
  });

  it('goes on to anchor the record, with the next scale by the median magnitude', () => {
    const { state, effects } = step(RULES, run(CLOSED_COLLECTION), aggregated(FIRST));
    expect(state).toMatchObject({
      phase: 'anchoring',
      nextUpdateBits: 12,
      record: { ...FIRST, rewardsTotal: 100n ** 12n },
    });
    expect(effects.map(({ type }) => type)).toEqual(['announce', 'anchor']);
  });

  it('fails with the reason of the rule', () => {
    expect(run([...CLOSED_COLLECTION, failedToAggregate(FIRST)])).toMatchObject({
      phase: 'failed',
      code: 'rule/too-many-faulty',
      reason: 'f is too large',
    });
  });

  it('ignores outcomes of other attempts, late answers and the belated deadline', () => {
    const state = run(CLOSED_COLLECTION);
    for (const event of [
      aggregated(AGAIN),
      failedToAggregate(AGAIN),
      accepted(E, FIRST),
      deadline(FIRST),
      anchored(FIRST),
    ]) {
      expect(step(RULES, state, event)).toEqual({ state, effects: [] });
    }
  });
});

const ANCHORING = [...CLOSED_COLLECTION, aggregated(FIRST)];

describe('anchoring', () => {
  it('opens the next round from the new model, under the same attempt', () => {
    const state = run([...ANCHORING, anchored(FIRST, 7000)]);
    expect(state).toMatchObject({
      phase: 'collecting',
      progress: { rounds: 1, attempt: 0, modelRoot: hash('model 1/0'), location: hash('document 1/0') },
      plan: { round: 2, attempt: 0, seedIndex: 2, parentRoot: hash('model 1/0') },
      deadlineAt: 8000,
    });
  });

  it('waits in open for a quorum if too many have left', () => {
    expect(run([...ANCHORING, left(A), left(B), anchored(FIRST)])).toMatchObject({
      phase: 'open',
      need: 3,
      progress: { rounds: 1, present: [C, D] },
    });
  });

  it('anchors the same record again after a restart', () => {
    const state = run(ANCHORING);
    expect(state.phase === 'anchoring' && step(RULES, state, restarted()).effects).toContainEqual({
      type: 'anchor',
      record: (state as Extract<JobState, { phase: 'anchoring' }>).record,
    });
  });

  it('ignores another attempt and a second outcome', () => {
    const state = run(ANCHORING);
    for (const event of [anchored(AGAIN), anchored({ round: 2, attempt: 0 }), aggregated(FIRST), deadline(FIRST)]) {
      expect(step(RULES, state, event)).toEqual({ state, effects: [] });
    }
  });

  it('closes the job after the last round', () => {
    const rules = { ...RULES, rounds: 1 };
    const state = run([...ANCHORING, anchored(FIRST)], rules);
    expect(state).toMatchObject({ phase: 'closed', progress: { rounds: 1, modelRoot: hash('model 1/0') } });
  });
});
