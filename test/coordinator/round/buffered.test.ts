import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkStatement } from '../../../coordinator/gate/check-statement.ts';
import { remedyOf } from '../../../coordinator/gate/remedy.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { type JobRules, type JobState, jobRules } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { exampleManifest, exampleManifestJson } from '../../shared/round/example-manifest.ts';
import { hash } from '../fixture.ts';
import {
  accepted,
  aggregated,
  anchored,
  attemptOf,
  beginning,
  deadline,
  declined,
  eventOf,
  HAPPENINGS,
  joined,
  PEOPLE,
  RULES,
  rewound,
} from './happenings.ts';

const [A, B, C] = PEOPLE as [Hex, Hex, Hex];
const FIRST = { round: 1, attempt: 0 };
const BUFFERED: JobRules = {
  ...RULES,
  ...{ rounds: 4, expected: 3, quorum: 1, buffer: { size: 2, maxStaleness: 2 } },
};

const run = (events: readonly JobEvent[], from: JobState = beginning(BUFFERED)): JobState =>
  events.reduce((state, event) => step(BUFFERED, state, event).state, from);
const arrive = [A, B, C].map((one) => joined(one));
const whole = (round: number): JobEvent[] => {
  const about = { round, attempt: 0 };
  return [accepted(A, about), accepted(B, about), aggregated(about), anchored(about)];
};
const model = (round: number): Hex => (round === 0 ? hash('model 0') : hash(`model ${round}/0`));

describe('a buffered round', () => {
  it('closes when as many updates as it takes are there, and nobody is gone for still being at work', () => {
    const one = run([...arrive, accepted(B, FIRST)]);
    expect(one.phase).toBe('collecting');
    const two = run([accepted(A, FIRST)], one);
    expect(two).toMatchObject({ phase: 'aggregating', admitted: [{ participant: A }, { participant: B }] });
    expect(two.progress.present).toEqual([A, B, C]);
  });

  it('closes with a quorum at its deadline, or when all have answered; below it the next attempt opens', () => {
    expect(run([...arrive, accepted(A, FIRST), deadline(FIRST)])).toMatchObject({ phase: 'aggregating' });
    expect(run([...arrive, declined(B, FIRST), declined(C, FIRST), accepted(A, FIRST)])).toMatchObject({
      phase: 'aggregating',
      admitted: [{ participant: A }],
    });
    expect(run([...arrive, ...[A, B, C].map((one) => declined(one, FIRST))])).toMatchObject({
      phase: 'collecting',
      plan: { round: 1, attempt: 1 },
    });
  });

  it('writes down which model an update was trained from', () => {
    const event = accepted(A, FIRST);
    if (event.type !== 'updateAccepted') throw new Error(event.type);
    const older = { ...event, statement: { ...event.statement, parentRoot: hash('older') } };
    expect(run([...arrive, older, accepted(B, FIRST)])).toMatchObject({
      admitted: [{ participant: A, parentRoot: hash('older') }, { participant: B }],
    });
  });

  it('remembers as many models as an update may be old, and one', () => {
    const rounds = [1, 2, 3].map((last) => Array.from({ length: last }, (_, index) => whole(index + 1)).flat());
    const known = rounds.map((events) => run([...arrive, ...events]).progress.parents);
    expect(known).toEqual([
      [model(1), model(0)],
      [model(2), model(1), model(0)],
      [model(3), model(2), model(1)],
    ]);
  });

  it('forgets the models of rounds that the chain takes back', () => {
    const third = run([...arrive, ...whole(1), ...whole(2)]);
    const to = { modelRoot: model(1), updateBits: 12, location: hash('document 1/0') };
    const back = run([rewound(2, 1, 0, to)], third);
    expect(back.progress.parents).toEqual([model(1), model(0)]);
    expect(back.progress.rounds).toBe(1);
  });

  it('takes the newest of what it remembers for its own parent, whatever happens', () => {
    fc.assert(
      fc.property(HAPPENINGS, (happenings) => {
        let state: JobState = beginning(BUFFERED);
        for (const [index, happening] of happenings.entries()) {
          state = step(BUFFERED, state, eventOf(state, happening, index, String(index))).state;
          const { parents = [], modelRoot, rounds } = state.progress;
          expect(parents[0]).toBe(modelRoot);
          expect(parents).toHaveLength(Math.min(rounds, 2) + 1);
          if (state.phase === 'collecting') expect(state.plan.parentRoot).toBe(parents[0]);
          if (state.phase === 'aggregating') expect(state.admitted.length).toBeLessThanOrEqual(2);
        }
        expect(attemptOf(state).round).toBeGreaterThan(0);
      }),
    );
  });

  it('is what a manifest asks for', () => {
    const participation = {
      ...(exampleManifestJson()['participation'] as object),
      buffer: { size: 3, maxStaleness: 5 },
    };
    expect(jobRules(hash('job'), exampleManifest({ replace: { participation } })).buffer).toEqual({
      size: 3,
      maxStaleness: 5,
    });
    expect(jobRules(hash('job'), exampleManifest())).not.toHaveProperty('buffer');
  });
});

describe('the gate of a buffered round', () => {
  const fourth = run([...arrive, ...[1, 2, 3].flatMap(whole)]);
  const statement = { job: RULES.job, round: 4, attempt: 0, samples: 1 };

  it('takes updates of the last models and refuses all others, with a way on', () => {
    const codeOf = (parentRoot: Hex, state = fourth) =>
      checkStatement(state, RULES.job, C, { ...statement, parentRoot })?.code;
    expect([3, 2, 1, 0].map((round) => codeOf(model(round)))).toEqual([
      undefined,
      undefined,
      undefined,
      'gate/too-stale',
    ]);
    expect(codeOf(hash('nobody'))).toBe('gate/too-stale');
    const told = remedyOf(fourth, { verdict: 'rejected', code: 'gate/too-stale' });
    expect(told).toMatch(/fetch the latest and train again/);
  });

  it('takes one update of a participant in a round, however old it is', () => {
    const state = run([accepted(C, { round: 4, attempt: 0 })], fourth);
    const again = checkStatement(state, RULES.job, C, { ...statement, parentRoot: model(2) });
    expect(again?.code).toBe('gate/duplicate');
  });

  it('takes none of a model that the chain has taken back', () => {
    const to = { modelRoot: model(2), updateBits: 12, location: hash('document 2/0') };
    const state = run([rewound(3, 1, 0, to)], fourth);
    if (state.phase !== 'collecting') throw new Error(state.phase);
    const { round, attempt } = state.plan;
    const codeOf = (parentRoot: Hex) =>
      checkStatement(state, RULES.job, C, { job: RULES.job, round, attempt, samples: 1, parentRoot })?.code;
    expect([2, 1, 3].map((one) => codeOf(model(one)))).toEqual([undefined, undefined, 'gate/too-stale']);
  });
});
