import type { Collecting, JobState } from '../../coordinator/round/state.ts';
import type { Hex } from '../../shared/bytes.ts';
import { isAsked } from '../../shared/round/sampling.ts';
import { TURN } from './agenda.ts';
import type { Crowd, CrowdFacts } from './crowd.ts';
import type { Device, Luck } from './devices.ts';
import { carried, type Sending, sending, type Timetable, timetable } from './timetable.ts';

/** What a client does for one attempt. */
interface Work {
  readonly client: number;
  readonly times: Timetable & Sending;
  readonly luck: Luck;
  /** Its update is accepted. */
  isIn: boolean;
}

/**
 * Clients as `client/session/step.ts` has them: each that is asked fetches the model, trains and sends. Who hears that its
 * round is over gives up, says that it is there, and takes up the next one it is asked in; who is sending by then sends its
 * statement all the same, and is told that it is late.
 */
export function createSynchronousCrowd(facts: CrowdFacts): Crowd {
  const { job, agenda, devices, examples, tally, clock } = facts;
  /** Whoever has dropped out and is not back. */
  const away = devices.map(() => false);
  /** Work on the attempt that is open, by client. */
  let works = new Map<number, Work>();

  const begin = (client: number, { plan }: Collecting, at: number): void => {
    const luck = facts.luck(client, `${plan.round}/${plan.attempt}`);
    const device = devices[client] as Device;
    const trained = timetable(device, luck, at + luck.latencyMs, examples[client] as number);
    const times = { ...trained, ...sending(device, luck, trained.trainedAt) };
    const work: Work = { client, times, luck, isIn: false };
    works.set(client, work);
    away[client] = luck.drops;
    if (luck.drops) return;
    agenda.add(times.arrivesAt, TURN.message, (now) => {
      // Collection has closed without it: what became of it was settled then.
      if (works.get(client) !== work) return;
      work.isIn = true;
      clock().submit(client, plan, plan.parentRoot, examples[client] as number, now);
    });
  };

  /**
   * Whom an attempt reaches: those that it waits for, and those that it asks without counting on them. With a draw these
   * are to be looked for only where somebody present may not be waited for (a pace), or somebody there is not present.
   */
  const reached = ({ expected, plan, draw, progress }: Collecting): number[] => {
    if (!draw) return devices.map((_, client) => client);
    const clients = new Set(expected.map(job.clientAt));
    const passedOver = new Set(progress.standings ? [] : progress.present);
    if (passedOver.size === devices.length) return [...clients];
    for (const [client, address] of job.addresses.entries()) {
      if (!clients.has(client) && !passedOver.has(address) && isAsked(draw, plan, address)) clients.add(client);
    }
    return [...clients].sort((a, b) => a - b);
  };

  /** A client says that it is there; one that was away looks for work as well. */
  const comesBack = (client: number, wasAway: boolean, at: number): void => {
    if (wasAway) away[client] = false;
    clock().join(client, at);
    const { state } = clock();
    if (!wasAway || state.phase !== 'collecting' || works.has(client)) return;
    if (isAsked(state.draw, state.plan, job.addresses[client] as Hex)) begin(client, state, at);
  };

  const settle = ({ client, times, luck }: Work, { plan }: Collecting, closedAt: number): void => {
    const { latencyMs } = luck;
    const heardAt = closedAt + latencyMs;
    tally.add('bytesDown', carried(facts.modelBytes, heardAt, times.fetchesAt, (devices[client] as Device).downMs));
    if (luck.drops) {
      tally.add('dropped', 1);
      agenda.add(heardAt + latencyMs, TURN.message, (at) => comesBack(client, true, at));
      return;
    }
    if (times.trainedAt > heardAt) {
      tally.add('superseded', 1);
      agenda.add(heardAt + latencyMs, TURN.message, (at) => comesBack(client, false, at));
      return;
    }
    tally.add('late', 1);
    tally.add('bytesUp', carried(facts.updateBytes, heardAt, times.sendsAt, (devices[client] as Device).upMs));
    agenda.add(Math.min(times.arrivesAt, heardAt + latencyMs), TURN.message, (at) => {
      clock().submit(client, plan, plan.parentRoot, examples[client] as number, at);
    });
  };

  const closed = (before: Collecting, closedAt: number, after: JobState): void => {
    const over = works;
    works = new Map();
    let accepted = 0;
    for (const work of over.values()) {
      if (work.isIn) accepted++;
      else settle(work, before, closedAt);
    }
    // Asked while it was away, and not back in time.
    const unreached = before.expected.filter((participant) => !over.has(job.clientAt(participant))).length;
    tally.add('asked', over.size + unreached);
    tally.add('dropped', unreached);
    tally.add('bytesUp', accepted * facts.updateBytes);
    tally.add('bytesDown', accepted * facts.modelBytes);
    if (after.phase !== 'aggregating') tally.add('discarded', accepted);
  };

  return {
    arrive: () => {
      for (const client of devices.keys()) agenda.add(0, TURN.message, (at) => clock().join(client, at));
    },
    closed: (before, event, after) => closed(before, event.at, after),
    opened: (state, at) => {
      for (const client of reached(state)) if (!away[client]) begin(client, state, at);
    },
  };
}
