import type { JobEvent } from '../round/events.ts';
import type { EventStore } from './event-store.ts';

/** An event log in memory, for tests and simulations: it survives nothing. */
export function createMemoryEventStore(): EventStore {
  const events: JobEvent[] = [];
  return {
    append: async (appended) => {
      events.push(...appended.map((event) => structuredClone(event)));
    },
    read: async function* () {
      for (const event of events) yield structuredClone(event);
    },
    close: async () => {},
  };
}
