import { describe, expect, it } from 'vitest';
import { checkStatement } from '../../../coordinator/gate/check-statement.ts';
import { remedyOf } from '../../../coordinator/gate/remedy.ts';
import type { Collecting, JobState, Progress } from '../../../coordinator/round/state.ts';
import { isAsked, sampleCut } from '../../../shared/round/sampling.ts';
import { hash, WALLETS } from '../fixture.ts';

const ADDRESSES = WALLETS.map(({ address }) => address);
const plan = { round: 2, attempt: 1, parentRoot: hash('model'), updateBits: 12, seedIndex: 3 };
const seed = hash('seed 1/0');
const progress: Progress = {
  ...{ rounds: 1, attempt: 1, modelRoot: hash('model'), updateBits: 12, location: hash('document') },
  present: ADDRESSES,
};
const draw = { seedIndex: 1, seed, cut: sampleCut(seed, plan, ADDRESSES, 2) };
const collecting: Collecting = {
  ...{ phase: 'collecting', progress, plan, answers: {}, deadlineAt: 0, draw },
  expected: ADDRESSES.filter((one) => isAsked(draw, plan, one)),
};
const statement = { job: hash('job'), round: 2, attempt: 1 };

describe('the gate of a round with a sample', () => {
  it('takes updates of those it drew and refuses the others by name of the reason', () => {
    const codes = ADDRESSES.map((one) => checkStatement(collecting, hash('job'), one, statement)?.code);
    expect(codes).toEqual(ADDRESSES.map((one) => (collecting.expected.includes(one) ? undefined : 'gate/not-asked')));
    expect(codes.filter((code) => code === 'gate/not-asked')).toHaveLength(2);
  });

  it('takes everyone where everyone is asked', () => {
    for (const state of [
      { ...collecting, draw: { ...draw, cut: null } },
      { ...collecting, draw: undefined },
    ]) {
      const { draw: maybe, ...rest } = state;
      const open: Collecting = { ...rest, ...(maybe && { draw: maybe }) };
      for (const one of ADDRESSES) expect(checkStatement(open, hash('job'), one, statement)).toBeUndefined();
    }
  });
});

describe('a stale client', () => {
  const states: [JobState, string][] = [
    [collecting, `round 2, attempt 1 is open: train from model ${hash('model')} and answer that one`],
    [{ phase: 'open', progress, need: 3 }, 'no round is open: stay connected and wait for round 2'],
    [{ phase: 'aggregating', progress, plan, admitted: [] }, 'round 2 takes no more updates'],
    [{ phase: 'closed', progress }, 'the job is over: fetch the final model'],
    [{ phase: 'failed', progress, code: 'x', reason: 'quorum missed' }, 'the job has failed: quorum missed'],
  ];

  it.each(states)('is told what to do now (%#)', (state, told) => {
    expect(remedyOf(state, { verdict: 'late', code: 'gate/late' })).toContain(told);
    expect(remedyOf(state, { verdict: 'rejected', code: 'gate/wrong-round' })).toContain(told);
  });

  it('is told to wait when it was not drawn, or has answered already', () => {
    for (const code of ['gate/not-asked', 'gate/duplicate'] as const) {
      expect(remedyOf(collecting, { verdict: 'rejected', code })).toMatch(/wait for the next/);
    }
    expect(remedyOf(collecting, { verdict: 'rejected', code: 'gate/wrong-job' })).toContain('its own coordinator');
  });
});
