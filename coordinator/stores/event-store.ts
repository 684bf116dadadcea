import type { JobEvent } from '../round/events.ts';

/**
 * The append-only log of a job's events. What `append` has resolved for survives a crash of the process and of the
 * machine; events are read back in the order they were appended, without gaps.
 */
export interface EventStore {
  /**
   * Appends events as one atomic, durable write.
   *
   * @param events - in order
   */
  append(events: readonly JobEvent[]): Promise<void>;
  /** All events from the beginning. */
  read(): AsyncIterable<JobEvent>;
  /** Closes the store; nothing may be appended afterwards. */
  close(): Promise<void>;
}
