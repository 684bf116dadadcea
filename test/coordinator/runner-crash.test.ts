import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { EventStore } from '../../coordinator/stores/event-store.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import { createWorld, type Life, logOf, playToTheEnd, startLife, type World } from './runner-harness.ts';

/** When, seen from one append, the process dies: before the event is on disk, or after. */
type Moment = 'before' | 'after';

class Crash extends Error {}

/** A log whose process dies at its n-th append; what it is asked for after its death it must not be asked for. */
function dyingLog(events: EventStore, n: number, moment: Moment, controller: AbortController) {
  let appends = 0;
  let afterDeath = 0;
  const store: EventStore = {
    ...events,
    append: async (appended) => {
      if (controller.signal.aborted) afterDeath++;
      if (++appends === n && moment === 'before') {
        controller.abort(new Crash());
        throw new Crash();
      }
      await events.append(appended);
      if (appends === n) {
        controller.abort(new Crash());
        throw new Crash();
      }
    },
  };
  return { store, afterDeath: () => afterDeath };
}

/** Lives one life that dies at its n-th append. Whether it came to the end of the job before. */
async function liveAndDie(world: World, n: number, moment: Moment): Promise<boolean> {
  const controller = new AbortController();
  const { store, afterDeath } = dyingLog(world.events, n, moment, controller);
  let life: Life | undefined;
  let isEnded = false;
  try {
    life = await startLife(world, { events: store }, controller);
    await playToTheEnd(life, world);
    isEnded = true;
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  await life?.stop();
  expect(afterDeath()).toBe(0);
  return isEnded;
}

/** What no crash may change: where the job came to, every record, and one acceptance a participant and attempt. */
async function outcomeOf(world: World): Promise<unknown> {
  const log = await logOf(world);
  const accepted = log.flatMap((event) => (event.type === 'updateAccepted' ? [event] : []));
  const keys = accepted.map(({ participant, statement: { round, attempt } }) => `${round}/${attempt}/${participant}`);
  expect(new Set(keys).size).toBe(keys.length);
  const records = new Map(
    world.anchorings.map((record) => [`${record.round}/${record.attempt}`, recordToJson(record)]),
  );
  // Whatever was anchored twice was anchored alike.
  for (const record of world.anchorings) {
    expect(recordToJson(record)).toEqual(records.get(`${record.round}/${record.attempt}`));
  }
  const anchored = log.filter(({ type }) => type === 'roundAnchored');
  expect(anchored).toHaveLength(records.size);
  const receipts = accepted.map(({ receipt }) => receipt).sort((a, b) => (a.signature < b.signature ? -1 : 1));
  return { records: [...records.values()], keys: keys.sort(), receipts };
}

async function undisturbed(): Promise<{ outcome: unknown; log: JobEvent[] }> {
  const world = await createWorld();
  await playToTheEnd(await startLife(world), world);
  return { outcome: await outcomeOf(world), log: await logOf(world) };
}

describe('a coordinator that dies and is started again', () => {
  it.each<Moment>(['before', 'after'])(
    'at any event, %s it is on disk, comes to the same end',
    async (moment) => {
      const { outcome, log } = await undisturbed();
      // Four joins, then three rounds of four acceptances, an aggregation and an anchoring.
      expect(log).toHaveLength(22);
      for (let n = 1; n <= log.length; n++) {
        const world = await createWorld();
        await liveAndDie(world, n, moment);
        expect(await logOf(world)).toHaveLength(moment === 'before' ? n - 1 : n);
        const life = await startLife(world);
        expect((await playToTheEnd(life, world)).phase).toBe('closed');
        expect(await outcomeOf(world)).toEqual(outcome);
      }
    },
    60_000,
  );

  it.each([2, 3, 5])(
    'every %i events comes to the same end',
    async (n) => {
      const { outcome } = await undisturbed();
      const world = await createWorld();
      let lives = 1;
      while (!(await liveAndDie(world, n, 'after'))) expect(lives++).toBeLessThan(40);
      expect(await outcomeOf(world)).toEqual(outcome);
      expect(lives).toBeGreaterThan(4);
    },
    60_000,
  );

  it('knows from its log alone all that it knew before', async () => {
    const world = await createWorld();
    const before = await startLife(world);
    await playToTheEnd(before, world);
    await before.stop();
    const after = await startLife(world);
    expect(after.runner.state).toEqual(before.runner.state);
    expect(after.runner.history.slice(0, -1)).toEqual(before.runner.history);
    expect(after.runner.history.at(-1)).toMatchObject({ type: 'coordinatorRestarted' });
  });
});
