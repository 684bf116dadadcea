import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import type { AnswerOf, OperationName, RequestOf } from '../../shared/protocol/messages.ts';
import type { UploadStore } from '../blobs/upload-store.ts';
import { checkStatement } from '../gate/check-statement.ts';
import { jobStateMessage } from '../job-state-message.ts';
import type { JobRunner } from '../runner.ts';
import { type Challenge, type Session, SessionError, type Sessions } from '../sessions.ts';

/** Thrown when a request cannot be answered with a success. */
export class RequestError extends FedanchorError<
  'request/wrong-job' | 'request/wrong-model' | 'gate/late' | 'gate/refused' | 'gate/wrong-length'
> {}

/** What is known about one connection. */
export interface Connection {
  /** The challenge that was issued last and not yet answered. */
  challenge: Challenge | undefined;
  /** The session, once open. */
  session: Session | undefined;
  /** Starts sending a participant where the job stands. */
  join(address: Hex): void;
  /** Starts sending an operator the job's events. */
  watch(): void;
}

/** What the handlers work with. */
export interface ControlOptions {
  /** The job. */
  readonly job: Hex;
  /** Its layout. */
  readonly layout: Layout;
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** The coordinator's address. */
  readonly coordinator: Hex;
  /** The job's loop. */
  readonly runner: JobRunner;
  /** The register of sessions. */
  readonly sessions: Sessions;
  /** Updates on their way in. */
  readonly uploads: UploadStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One handler for each request of the control plane; what it throws becomes a coded reply. */
export type ControlHandlers = {
  readonly [Name in OperationName]: (connection: Connection, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;
};

/** Creates the handlers: what each request means, whatever transport carries it. */
export function createControlHandlers(options: ControlOptions): ControlHandlers {
  const { job, layout, chainId, anchor, coordinator, runner, sessions, uploads, now } = options;

  const participant = (connection: Connection): Hex => sessionOf(connection, 'participant').address;
  const thisJob = (asked: Hex): void => {
    if (asked !== job) throw new RequestError('request/wrong-job', `job ${asked} is not run here, ${job} is`);
  };
  const state = () => ({ state: jobStateMessage(job, runner.state, now()) });

  return {
    'session.challenge': async (connection, { address, role }) => {
      connection.challenge = sessions.challenge(address, role);
      const { challenge } = connection.challenge;
      return { challenge, coordinator, chainId: String(chainId), anchor, job };
    },
    'session.open': async (connection, { signature }) => {
      const { challenge } = connection;
      if (!challenge) throw new SessionError('session/no-challenge', 'ask for a challenge first: session.challenge');
      // One challenge, one try: a wrong signature cannot be followed by a search for a right one.
      connection.challenge = undefined;
      if (connection.session) sessions.end(connection.session);
      connection.session = sessions.open(challenge, signature);
      return { token: connection.session.token };
    },
    'job.join': async (connection, request) => {
      thisJob(request.job);
      const address = participant(connection);
      connection.join(address);
      await runner.join(address);
      return state();
    },
    'job.state': async (connection, request) => {
      thisJob(request.job);
      sessionOf(connection);
      return state();
    },
    'update.offer': async (connection, { updateRoot, byteLength, partRoots, ...statement }) => {
      const address = participant(connection);
      const refusal = checkStatement(runner.state, job, address, statement);
      if (refusal) {
        const code = refusal.verdict === 'late' ? 'gate/late' : 'gate/refused';
        throw new RequestError(
          code,
          `update of round ${statement.round}, attempt ${statement.attempt}: ${refusal.code}`,
        );
      }
      if (byteLength !== layout.dimension * 2) {
        throw new RequestError(
          'gate/wrong-length',
          `an update of this job has ${layout.dimension * 2} bytes, the offer says ${byteLength}`,
        );
      }
      return { missing: await uploads.offer(address, { updateRoot, byteLength, partRoots }) };
    },
    'update.submit': async (connection, { statement, signature }) => ({
      receipt: await runner.submit(participant(connection), statement, signature),
    }),
    'round.decline': async (connection, { job: asked, ...decline }) => {
      thisJob(asked);
      await runner.decline({ participant: participant(connection), ...decline });
      return {};
    },
    'metrics.report': async (connection, { job: asked, ...metrics }) => {
      thisJob(asked);
      const { rounds } = runner.state.progress;
      if (metrics.round > rounds) {
        throw new RequestError('request/wrong-model', `round ${metrics.round} has no model yet: ${rounds} are done`);
      }
      if (metrics.modelRoot !== runner.modelRoot(metrics.round)) {
        throw new RequestError(
          'request/wrong-model',
          `${metrics.modelRoot} is not the model of round ${metrics.round}`,
        );
      }
      await runner.report({ participant: participant(connection), ...metrics });
      return {};
    },
    'job.watch': async (connection, request) => {
      thisJob(request.job);
      sessionOf(connection, 'operator');
      connection.watch();
      return state();
    },
  };
}

function sessionOf(connection: Connection, role?: Session['role']): Session {
  const { session } = connection;
  if (!session) throw new SessionError('session/not-open', 'open a session first: session.challenge, session.open');
  if (role && session.role !== role) {
    throw new SessionError(
      'session/wrong-role',
      `this request needs the role ${role}, the session has the role ${session.role}`,
    );
  }
  return session;
}
