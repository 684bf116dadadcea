import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { JobState } from '../../../coordinator/round/state.ts';
import { step } from '../../../coordinator/round/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { accepted, aggregated, anchored, beginning, joined, PEOPLE, RULES, restarted } from './happenings.ts';

const [A, B, C, D] = PEOPLE as [Hex, Hex, Hex, Hex];
const ROUND = { round: 1, attempt: 0 };
const by = `0x${'0e'.repeat(20)}` as const;
const act = (type: 'jobPaused' | 'jobResumed' | 'jobStopped'): JobEvent => ({ type, at: 9, by, reason: 'why' });
const judge = (type: 'participantBanned' | 'participantAllowed', participant: Hex): JobEvent => ({
  ...{ type, at: 9, by, participant, reason: 'why' },
});

const play = (...events: JobEvent[]): JobState =>
  events.reduce<JobState>((state, event) => step(RULES, state, event).state, beginning());
const everyone = [A, B, C, D].map((participant) => joined(participant));
const answers = [A, B, C, D].map((participant) => accepted(participant, ROUND));

describe('a paused job', () => {
  it('opens no round however many are there, and opens it when it is resumed', () => {
    const paused = play(act('jobPaused'), ...everyone);
    expect(paused).toMatchObject({ phase: 'open', progress: { paused: { by, reason: 'why' } } });
    const { state, effects } = step(RULES, paused, act('jobResumed'));
    expect(state).toMatchObject({ phase: 'collecting', plan: ROUND, deadlineAt: 9 + RULES.deadlineMs });
    expect(effects.map(({ type }) => type)).toEqual(['announce', 'armDeadline']);
    expect(state.progress).not.toHaveProperty('paused');
  });

  it('finishes the round that is open, and stays paused over a restart of the coordinator', () => {
    const state = play(...everyone, act('jobPaused'), ...answers, aggregated(ROUND), anchored(ROUND), restarted());
    expect(state).toMatchObject({ phase: 'open', progress: { rounds: 1, paused: { by } } });
  });
});

describe('a stopped job', () => {
  it('ends at once where nothing is on its way to the chain', () => {
    for (const state of [play(act('jobStopped')), play(...everyone, act('jobStopped'))]) {
      expect(state).toMatchObject({ phase: 'failed', code: 'job/stopped' });
    }
  });

  it('counts the record that is on its way to the chain before it ends', () => {
    const onItsWay = play(...everyone, ...answers, aggregated(ROUND), act('jobStopped'));
    expect(onItsWay).toMatchObject({ phase: 'anchoring' });
    const { state } = step(RULES, onItsWay, anchored(ROUND));
    expect(state).toMatchObject({ phase: 'failed', code: 'job/stopped', progress: { rounds: 1 } });
  });

  it('takes nothing more from its operator', () => {
    const stopped = play(act('jobStopped'));
    for (const event of [act('jobResumed'), judge('participantBanned', A)]) {
      expect(step(RULES, stopped, event)).toEqual({ state: stopped, effects: [] });
    }
  });
});

describe('a banned participant', () => {
  it('is not there, cannot come back and is not waited for', () => {
    const state = play(...everyone, ...answers.slice(0, 3), judge('participantBanned', D), joined(D));
    expect(state).toMatchObject({ phase: 'aggregating', progress: { present: [A, B, C], banned: { [D]: 'why' } } });
  });

  it('keeps the update that was accepted before', () => {
    const state = play(...everyone, accepted(D, ROUND), judge('participantBanned', D), ...answers.slice(0, 3));
    if (state.phase !== 'aggregating') throw new Error(`the round is ${state.phase}`);
    expect(state.admitted.map(({ participant }) => participant)).toEqual([A, B, C, D]);
  });

  it('may come back once it is allowed', () => {
    const state = play(judge('participantBanned', D), judge('participantAllowed', D), ...everyone);
    expect(state).toMatchObject({ phase: 'collecting', expected: [A, B, C, D] });
  });
});
