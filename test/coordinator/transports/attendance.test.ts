import { describe, expect, it } from 'vitest';
import type { HostedJob } from '../../../coordinator/job-register.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { initialState, type JobState } from '../../../coordinator/round/state.ts';
import { createAttendance } from '../../../coordinator/transports/attendance.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash, testJob } from '../fixture.ts';

const CROWD = 300;
const ADDRESSES = Array.from({ length: CROWD }, (_, index): Hex => `0x${index.toString(16).padStart(40, '0')}`);

/** A job whose loop does nothing by itself: it says what it was asked, and what happens is told by the test. */
function quietJob() {
  const { terms } = testJob();
  const asked: Hex[] = [];
  const faults = { refuses: false };
  let listener: (event: JobEvent, state: JobState) => void = () => {};
  const runner: Partial<HostedJob['runner']> = {
    join: async (participant) => {
      asked.push(participant);
      if (faults.refuses) throw new Error('storage cannot be written');
    },
    leave: async () => {},
    subscribe: (given) => {
      listener = given;
      return () => {};
    },
  };
  const open = initialState(terms.manifest);
  const tell = (type: 'participantJoined' | 'participantLeft' | 'deadlinePassed', present: readonly Hex[]): void => {
    const event = type === 'deadlinePassed' ? { type, round: 1, attempt: 0 } : { type, participant: hash('x') };
    listener({ ...event, at: 0 } as JobEvent, { ...open, progress: { ...open.progress, present } });
  };
  return { job: { terms, runner } as unknown as HostedJob, asked, faults, tell };
}

describe('who is connected', () => {
  it('is counted in once while a crowd joins, not at every one that comes', () => {
    const { job, asked, tell } = quietJob();
    const attendance = createAttendance(1000);
    for (const address of ADDRESSES) attendance.arrive(job, address, `connection of ${address}`);
    for (let joined = 1; joined <= CROWD; joined++) tell('participantJoined', ADDRESSES.slice(0, joined));
    // The first look found all but one missing; the others come by that, or by their own request.
    expect(asked).toEqual(ADDRESSES.slice(1));
  });

  it('is counted in again after a missed deadline, but for those who have gone', () => {
    const { job, asked, tell } = quietJob();
    const attendance = createAttendance(1000);
    for (const address of ADDRESSES.slice(0, 3)) attendance.arrive(job, address, `connection of ${address}`);
    tell('participantJoined', ADDRESSES.slice(0, 3));
    attendance.depart(`connection of ${ADDRESSES[1]}`);
    tell('deadlinePassed', []);
    expect(asked).toEqual([ADDRESSES[0], ADDRESSES[2]]);
    tell('participantLeft', ADDRESSES.slice(2, 3));
    expect(asked).toEqual([ADDRESSES[0], ADDRESSES[2], ADDRESSES[0]]);
  });

  it('is counted in at the next event when it could not be logged', async () => {
    const { job, asked, faults, tell } = quietJob();
    const attendance = createAttendance(1000);
    const [first, second] = ADDRESSES as [Hex, Hex];
    attendance.arrive(job, first, 'a connection');
    faults.refuses = true;
    tell('participantJoined', [second]);
    await new Promise(setImmediate);
    faults.refuses = false;
    tell('participantJoined', [second]);
    expect(asked).toEqual([first, first]);
    await new Promise(setImmediate);
    tell('participantJoined', [second]);
    expect(asked).toHaveLength(2);
  });
});
