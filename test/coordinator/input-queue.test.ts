import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInputQueue } from '../../coordinator/input-queue.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { initialState, type JobState, jobRules } from '../../coordinator/round/state.ts';
import { step } from '../../coordinator/round/step.ts';
import type { Hex } from '../../shared/bytes.ts';
import { deferred } from '../client/deferred.ts';
import { testJob } from './fixture.ts';

const { terms } = testJob({ participation: { expected: 1000, quorum: 1 } });
const rules = jobRules(terms.job, terms.manifest);
const addressOf = (index: number): Hex => `0x${index.toString(16).padStart(40, '0')}`;
const joinOf = (participant: Hex): JobEvent => ({ type: 'participantJoined', at: 0, participant });

/** A queue over a log in memory. */
function open(append: (events: readonly JobEvent[]) => Promise<void> = async () => {}) {
  let state: JobState = initialState(terms.manifest);
  const writes: JobEvent[][] = [];
  let commits = 0;
  const life = { isOver: false };
  const queue = createInputQueue({
    state: () => state,
    step: (before, event) => step(rules, before, event),
    append: async (events) => {
      await append(events);
      writes.push([...events]);
    },
    commit: (_event, before, after) => {
      expect(before).toEqual(state);
      state = after.state;
      commits++;
    },
    refuseAfterEnd: () => {
      if (life.isOver) throw new Error('it is over');
    },
  });
  const present = (): readonly Hex[] => state.progress.present;
  return { queue, writes, life, present, commits: () => commits };
}

type Opened = ReturnType<typeof open>;

/** Joins a participant; answers with how many were there before it, by the draft. */
function join({ queue }: Pick<Opened, 'queue'>, participant: Hex, keep?: () => Promise<void>): Promise<number> {
  return queue.take(participant, (draft) => {
    const before = draft.state.progress.present.length;
    if (keep) draft.keep(keep);
    draft.record(joinOf(participant));
    return before;
  });
}

describe('inputs', () => {
  it('that wait together share one write, each decided on what came before it', async () => {
    const first = deferred<void>();
    let writesBegun = 0;
    const opened = open(async () => {
      if (writesBegun++ === 0) await first.promise;
    });
    const answers = [join(opened, addressOf(0))];
    await new Promise(setImmediate);
    expect(writesBegun).toBe(1);
    for (let index = 1; index < 10; index++) answers.push(join(opened, addressOf(index)));
    // A draft is nobody's business before it is durable.
    expect(opened.present()).toEqual([]);
    first.resolve();
    expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(opened.writes.map((write) => write.length)).toEqual([1, 9]);
    expect(opened.commits()).toBe(10);
    await opened.queue.idle();
  });

  it('about one participant, or about none, never share a write', async () => {
    const opened = open();
    const record = (participant: Hex) => opened.queue.take(undefined, (draft) => draft.record(joinOf(participant)));
    await Promise.all([
      ...[join(opened, addressOf(0)), join(opened, addressOf(1)), join(opened, addressOf(0))],
      ...[record(addressOf(2)), record(addressOf(3)), join(opened, addressOf(4)), join(opened, addressOf(5))],
    ]);
    expect(opened.writes.map((write) => write.length)).toEqual([2, 1, 1, 1, 2]);
  });

  it('are not answered before what they ask to be kept and their events are durable', async () => {
    const order: string[] = [];
    const kept = deferred<void>();
    const opened = open(async () => {
      order.push('logged');
    });
    const answer = join(opened, addressOf(0), async () => {
      await kept.promise;
      order.push('kept');
    }).then(() => order.push('answered'));
    const neighbour = join(opened, addressOf(1)).then(() => order.push('answered'));
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    kept.resolve();
    await Promise.all([answer, neighbour]);
    expect(order).toEqual(['kept', 'logged', 'answered', 'answered']);
  });

  it('whose bytes cannot be stored are refused alone, and the others decided as if they had never come', async () => {
    const opened = open();
    const answers = await Promise.allSettled([
      join(opened, addressOf(0)),
      join(opened, addressOf(1), async () => {
        throw new Error('no space left on device');
      }),
      join(opened, addressOf(2)),
    ]);
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: { message: 'no space left on device' } },
      // It was decided with one more before it at first.
      { status: 'fulfilled', value: 1 },
    ]);
    expect(opened.present()).toEqual([addressOf(0), addressOf(2)]);
    expect(opened.writes.flat()).toEqual([joinOf(addressOf(0)), joinOf(addressOf(2))]);
  });

  it('that throw are refused and leave no trace; a write that fails leaves none of any of its inputs', async () => {
    let isFull = true;
    const opened = open(async () => {
      if (isFull) throw new Error('no space left on device');
    });
    const thrown = opened.queue.take(addressOf(3), (draft) => {
      draft.record(joinOf(addressOf(3)));
      throw new Error('a fault');
    });
    const lost = Promise.allSettled([join(opened, addressOf(0)), join(opened, addressOf(1))]);
    await expect(thrown).rejects.toThrow('a fault');
    expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(opened.present()).toEqual([]);
    isFull = false;
    expect(await join(opened, addressOf(1))).toBe(0);
    expect(opened.present()).toEqual([addressOf(1)]);
  });

  it('are refused after the end, those that wait already as well', async () => {
    const gate = deferred<void>();
    const opened = open(() => gate.promise);
    const first = join(opened, addressOf(0));
    await new Promise(setImmediate);
    const second = join(opened, addressOf(1));
    opened.life.isOver = true;
    gate.resolve();
    expect(await first).toBe(0);
    await expect(second).rejects.toThrow('it is over');
    await expect(join(opened, addressOf(2))).rejects.toThrow('it is over');
    await opened.queue.idle();
    expect(opened.writes).toHaveLength(1);
  });

  it('are each logged once and in order, whatever fails and whenever they come', async () => {
    const inputs = fc.array(
      fc.record({
        who: fc.integer({ min: 0, max: 5 }),
        alone: fc.boolean(),
        fails: fc.constantFrom('nothing', 'nothing', 'nothing', 'keeping', 'deciding'),
        pause: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    const failures = fc.array(fc.boolean(), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(inputs, failures, async (given, appendFails) => {
        let appends = 0;
        const opened = open(async () => {
          await new Promise(setImmediate);
          if (appendFails[appends++]) throw new Error('the log failed');
        });
        const taken = given.map(async ({ who, alone, fails, pause }, at) => {
          for (let turn = 0; pause && turn < at; turn++) await Promise.resolve();
          const event: JobEvent = { ...joinOf(addressOf(who)), at };
          await opened.queue.take(alone ? undefined : addressOf(who), (draft) => {
            if (fails === 'keeping') draft.keep(() => Promise.reject(new Error('the disk failed')));
            draft.record(event);
            if (fails === 'deciding') throw new Error('the decision failed');
          });
          return event;
        });
        const answered = (await Promise.allSettled(taken)).flatMap((one) =>
          one.status === 'fulfilled' ? [one.value] : [],
        );
        await opened.queue.idle();
        const logged = opened.writes.flat();
        const byTime = (a: JobEvent, b: JobEvent): number => a.at - b.at;
        expect([...logged].sort(byTime)).toEqual([...answered].sort(byTime));
        const folded = logged.reduce<JobState>(
          (state, event) => step(rules, state, event).state,
          initialState(terms.manifest),
        );
        expect(opened.present()).toEqual(folded.progress.present);
      }),
      { numRuns: 200 },
    );
  });
});
