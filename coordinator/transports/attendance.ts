import type { Hex } from '../../shared/bytes.ts';
import type { HostedJob } from '../job-register.ts';

/** Who is connected for which job, told to each job's loop. */
export interface Attendance {
  /**
   * Takes up a job: whoever its log counts as present and does not come back in time after a restart has left.
   *
   * @param job - the job
   */
  open(job: HostedJob): void;
  /** A connection speaks for a participant of a job from now on. */
  arrive(job: HostedJob, participant: Hex, connection: string): void;
  /** A connection has ended. */
  depart(connection: string): void;
}

/** After a restart participants wait between tries to connect: they have this many absences to come back. */
const RETURN_FACTOR = 3;

/**
 * Creates an empty attendance.
 *
 * @param absenceMs - milliseconds that a participant may be away before the next round stops waiting for it
 */
export function createAttendance(absenceMs: number): Attendance {
  const present = new Map<HostedJob, Map<Hex, Set<string>>>();

  const connectionsOf = (job: HostedJob): Map<Hex, Set<string>> => {
    const known = present.get(job);
    if (known) return known;
    const connections = new Map<Hex, Set<string>>();
    present.set(job, connections);
    // Who is connected is there to start with, even after a deadline was missed: nobody would tell it to join again.
    let mayBeMissing = true;
    const countIn = (participant: Hex): void => {
      job.runner.join(participant).catch(() => {
        mayBeMissing = true;
      });
    };
    job.runner.subscribe(({ type }, state) => {
      // By a participant that comes nobody else goes missing: of a crowd that joins each one is looked for once.
      if (type !== 'participantJoined') mayBeMissing = true;
      if (state.phase !== 'open' || !mayBeMissing) return;
      mayBeMissing = false;
      const counted = new Set(state.progress.present);
      for (const participant of connections.keys()) if (!counted.has(participant)) countIn(participant);
    });
    return connections;
  };

  return {
    open: (job) => {
      const connections = connectionsOf(job);
      setTimeout(() => {
        for (const participant of job.runner.state.progress.present) {
          if (!connections.has(participant)) void job.runner.leave(participant).catch(() => {});
        }
      }, RETURN_FACTOR * absenceMs).unref();
    },
    arrive: (job, participant, connection) => {
      const connections = connectionsOf(job);
      connections.set(participant, (connections.get(participant) ?? new Set()).add(connection));
    },
    depart: (connection) => {
      for (const [job, connections] of present) {
        for (const [participant, mine] of connections) {
          if (!mine.delete(connection) || mine.size > 0) continue;
          connections.delete(participant);
          setTimeout(() => {
            if (!connections.has(participant)) void job.runner.leave(participant).catch(() => {});
          }, absenceMs).unref();
        }
      }
    },
  };
}
