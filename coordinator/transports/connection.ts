import type { HostedJob } from '../job-register.ts';
import { type Challenge, type Session, SessionError } from '../sessions.ts';

/** What is known about one connection. */
export interface Connection {
  /** The challenge that was issued last and not yet answered. */
  challenge: Challenge | undefined;
  /** The session, once open. */
  session: Session | undefined;
  /**
   * Counts the session's participant in, and starts telling it where the job stands.
   *
   * @throws PresenceError `session/already-connected` if another connection that is alive speaks for it
   */
  join(job: HostedJob, session: Session): Promise<void>;
  /** Starts sending an operator a job's events, from the beginning. */
  watch(job: HostedJob): void;
}

/**
 * The open session of a connection.
 *
 * @param role - the role it must have, if it matters
 * @throws SessionError `session/not-open`, `session/wrong-role`
 */
export function sessionOf(connection: Connection, role?: Session['role']): Session {
  const { session } = connection;
  if (!session) throw new SessionError('session/not-open', 'open a session first: session.challenge, session.open');
  if (role !== undefined && session.role !== role) {
    throw new SessionError(
      'session/wrong-role',
      `this request needs the role ${role}, the session has the role ${session.role}`,
    );
  }
  return session;
}
