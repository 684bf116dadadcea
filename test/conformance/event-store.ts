import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { EventStore } from '../../coordinator/stores/event-store.ts';

/** How the suite gets at an implementation. */
export interface EventStoreFixture {
  /** The store under test, empty. */
  readonly store: EventStore;
  /** Closes the store and opens it on the same data; left out where nothing outlives the process. */
  readonly reopen?: () => Promise<EventStore>;
}

const HASH = `0x${'ab'.repeat(32)}` as const;
const SOMEBODY = `0x${'cd'.repeat(20)}` as const;

/** Events of very different shapes and sizes; `at` tells them apart. */
function eventAt(at: number): JobEvent {
  switch (at % 4) {
    case 0:
      return { type: 'participantJoined', at, participant: SOMEBODY };
    case 1:
      return {
        type: 'roundDeclined',
        at,
        participant: SOMEBODY,
        round: at,
        attempt: 0,
        code: 'x',
        message: 'é'.repeat(at),
      };
    case 2:
      return {
        ...{ type: 'metricsReported', at, participant: SOMEBODY, round: 2 ** 24 - 1, modelRoot: HASH },
        ...{ correct: 0, total: 0xffff_ffff, lossSum: 0.1 + at, constantCorrect: 1 },
      };
    default:
      return { type: 'roundAnchored', at, round: 1, attempt: 0, transactionHash: HASH, blockNumber: at, gasUsed: '0' };
  }
}

const eventsFrom = (first: number, count: number): JobEvent[] =>
  Array.from({ length: count }, (_, index) => eventAt(first + index));

async function readAll(store: EventStore): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of store.read()) events.push(event);
  return events;
}

/** What every implementation of {@link EventStore} must do. */
export function describeEventStore(name: string, create: () => Promise<EventStoreFixture>): void {
  describe(`event store: ${name}`, () => {
    it('is empty at first', async () => {
      const { store } = await create();
      expect(await readAll(store)).toEqual([]);
    });

    it('returns events as they were appended, in order, one by one or many at once', async () => {
      const { store } = await create();
      for (const event of eventsFrom(0, 300)) await store.append([event]);
      await store.append([]);
      await store.append(eventsFrom(300, 300));
      expect(await readAll(store)).toEqual(eventsFrom(0, 600));
    });

    it('keeps the order of appends that nobody waited for', async () => {
      const { store } = await create();
      await Promise.all(eventsFrom(0, 50).map((event) => store.append([event])));
      expect(await readAll(store)).toEqual(eventsFrom(0, 50));
    });

    it('shows an event to a reader as soon as its append has resolved', async () => {
      const { store } = await create();
      for (let count = 1; count <= 20; count++) {
        await store.append([eventAt(count - 1)]);
        expect(await readAll(store)).toHaveLength(count);
      }
    });

    it('keeps its own copies', async () => {
      const { store } = await create();
      const event = { ...eventAt(0) } as { at: number } & JobEvent;
      await store.append([event]);
      event.at = 99;
      const [read] = (await readAll(store)) as ({ at: number } & JobEvent)[];
      if (read) read.at = 98;
      expect(await readAll(store)).toEqual([eventAt(0)]);
    });

    it('keeps nothing of an append that fails, and goes on after it', async () => {
      const { store } = await create();
      await store.append([eventAt(0)]);
      const poisoned = Object.defineProperty({ ...eventAt(2) }, 'type', {
        enumerable: true,
        get: () => {
          throw new Error('cannot be read');
        },
      });
      await expect(store.append([eventAt(1), poisoned, eventAt(3)])).rejects.toThrow();
      await store.append([eventAt(4)]);
      expect(await readAll(store)).toEqual([eventAt(0), eventAt(4)]);
    });

    it('returns any text and number unchanged', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              at: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
              code: fc.string({ unit: 'binary', maxLength: 100 }),
              message: fc.string({ unit: 'grapheme', maxLength: 60 }),
              round: fc.nat(0xff_ffff),
              attempt: fc.nat(0xffff_ffff),
            }),
            { maxLength: 5 },
          ),
          async (declines) => {
            const { store } = await create();
            const events = declines.map(
              (decline): JobEvent => ({ type: 'roundDeclined', participant: SOMEBODY, ...decline }),
            );
            await store.append(events);
            expect(await readAll(store)).toEqual(events);
          },
        ),
        { numRuns: 20 },
      );
    });

    it('keeps events over a restart and appends after them, where it is durable', async () => {
      const { store, reopen } = await create();
      await store.append(eventsFrom(0, 5));
      if (reopen === undefined) return;
      const again = await reopen();
      expect(await readAll(again)).toEqual(eventsFrom(0, 5));
      await again.append(eventsFrom(5, 5));
      expect(await readAll(await reopen())).toEqual(eventsFrom(0, 10));
    });
  });
}
