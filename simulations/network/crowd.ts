import type { JobEvent } from '../../coordinator/round/events.ts';
import type { Collecting, JobState } from '../../coordinator/round/state.ts';
import type { Agenda } from './agenda.ts';
import type { Device, Luck } from './devices.ts';
import type { RoundClock } from './round-clock.ts';
import type { Tally } from './tally.ts';
import type { VirtualJob } from './virtual-job.ts';

/** What a crowd of clients lives by. */
export interface CrowdFacts {
  /** The job that they take part in. */
  readonly job: VirtualJob;
  /** What is to happen. */
  readonly agenda: Agenda;
  /** One device a client. */
  readonly devices: readonly Device[];
  /** Examples of each client's update. */
  readonly examples: readonly number[];
  /** Bytes of the model. */
  readonly modelBytes: number;
  /** Bytes of an update. */
  readonly updateBytes: number;
  /** What chance does to a client in a piece of work. */
  readonly luck: (client: number, work: string) => Luck;
  /** Where all is counted. */
  readonly tally: Tally;
  /** The round machine. */
  readonly clock: () => RoundClock;
}

/** Clients, and what they do about rounds. */
export interface Crowd {
  /** Those who are there from the beginning come. */
  arrive(): void;
  /** An attempt's collection has closed with this event. */
  closed(before: Collecting, event: JobEvent, after: JobState): void;
  /** An attempt has opened. */
  opened(state: Collecting, at: number): void;
}
