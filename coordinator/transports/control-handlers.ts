import type { Hex } from '../../shared/bytes.ts';
import { NO_ANCHOR } from '../../shared/commitments/typed-data.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { AnswerOf, JobStateMessage, OperationName, RequestOf, Role } from '../../shared/protocol/messages.ts';
import { checkStatement } from '../gate/check-statement.ts';
import { remedyOf } from '../gate/remedy.ts';
import { type HostedJob, type JobRegister, jobOfSession, mayParticipate } from '../job-register.ts';
import { jobStateMessage } from '../job-state-message.ts';
import { createOperatorDesk, type OperatorDesk } from '../operator/operator-desk.ts';
import { SessionError, type Sessions } from '../sessions.ts';
import { type Connection, sessionOf } from './connection.ts';
import { createOperatorHandlers } from './operator-handlers.ts';

/** Thrown when a request cannot be answered with a success. */
export class RequestError extends FedanchorError<
  | 'request/wrong-model'
  | 'gate/late'
  | 'gate/refused'
  | 'gate/wrong-length'
  | 'attest/not-needed'
  | 'session/not-staked'
> {}

/** What the handlers work with. */
export interface ControlOptions {
  /** The coordinator's jobs. */
  readonly jobs: JobRegister;
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** The coordinator's address. */
  readonly coordinator: Hex;
  /** Addresses that may be operators, lower case; the coordinator's own always may. */
  readonly operators: readonly Hex[];
  /** The register of sessions. */
  readonly sessions: Sessions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What operators can do; left out, what can be done to the jobs that are open, without an audit log. */
  readonly desk?: OperatorDesk;
}

/** One handler for each request of the control plane; what it throws becomes a coded reply. */
export type ControlHandlers = {
  readonly [Name in OperationName]: (connection: Connection, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;
};

/** Creates the handlers: what each request means, whatever transport carries it. */
export function createControlHandlers(options: ControlOptions): ControlHandlers {
  const { jobs, chainId, coordinator, operators, sessions, now } = options;
  const desk = options.desk ?? createOperatorDesk({ jobs, sessions, now });
  const isOperator = (address: Hex): boolean => address === coordinator || operators.includes(address);
  const stateOf = ({ terms, runner }: HostedJob): { state: JobStateMessage } => ({
    state: jobStateMessage(terms.job, runner.state, now()),
  });

  return {
    'session.challenge': async (connection, { address, role, job }) => {
      const hosted = job === null ? undefined : jobs.find(job);
      const allowed =
        role === 'operator' ? isOperator(address) : hosted !== undefined && mayParticipate(hosted, address);
      if (!allowed) throw notAllowed(address, role, job);
      // An operator's session is with the coordinator, whatever job it may have named.
      const purpose = role === 'operator' ? { job: null, anchor: undefined } : { job, anchor: hosted?.anchor };
      connection.challenge = sessions.challenge({ address, role, ...purpose });
      const { challenge, anchor = NO_ANCHOR } = connection.challenge;
      return { challenge, coordinator, chainId: String(chainId), anchor, job: purpose.job };
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
      const { job, address } = participation(connection, request.job, jobs);
      await requireStake(job, address);
      await connection.join(job, sessionOf(connection));
      await job.runner.join(address);
      return stateOf(job);
    },
    'job.state': async (connection, request) =>
      sessionOf(connection).role === 'operator'
        ? stateOf(jobs.find(request.job))
        : stateOf(participation(connection, request.job, jobs).job),
    'update.offer': async (connection, { updateRoot, byteLength, partRoots, ...statement }) => {
      const { job, address } = participation(connection, statement.job, jobs);
      await requireStake(job, address);
      const refusal = checkStatement(job.runner.state, job.terms.job, address, statement);
      if (refusal) {
        const code = refusal.verdict === 'late' ? 'gate/late' : 'gate/refused';
        throw new RequestError(
          code,
          `update of round ${statement.round}, attempt ${statement.attempt}: ${refusal.code}; ` +
            remedyOf(job.runner.state, refusal),
        );
      }
      const expected = job.terms.layout.dimension * 2;
      if (byteLength !== expected) {
        throw new RequestError(
          'gate/wrong-length',
          `an update of this job has ${expected} bytes, the offer says ${byteLength}`,
        );
      }
      return { missing: await job.uploads.offer(address, { updateRoot, byteLength, partRoots }) };
    },
    'update.submit': async (connection, { statement, signature }) => {
      // A statement for another job is answered with a signed receipt by the job that the session is for.
      const session = sessionOf(connection, 'participant');
      const job = jobs.find(session.job as Hex);
      return { receipt: await job.runner.submit(session.address, statement, signature) };
    },
    'round.decline': async (connection, { job: asked, ...decline }) => {
      const { job, address } = participation(connection, asked, jobs);
      await requireStake(job, address);
      await job.runner.decline({ participant: address, ...decline });
      return {};
    },
    'metrics.report': async (connection, { job: asked, ...metrics }) => {
      const { job, address } = participation(connection, asked, jobs);
      requireModel(job, metrics.round, metrics.modelRoot);
      await job.runner.report({ participant: address, ...metrics });
      return {};
    },
    'round.attest': async (connection, { job: asked, ...attestation }) => {
      const { job, address } = participation(connection, asked, jobs);
      if (!job.attestations) {
        throw new RequestError(
          'attest/not-needed',
          `rounds of job ${asked} become final without attestations: send none`,
        );
      }
      await job.attestations.take({ participant: address, ...attestation });
      return {};
    },
    'job.watch': async (connection, request) => {
      sessionOf(connection, 'operator');
      const job = jobs.find(request.job);
      connection.watch(job);
      return stateOf(job);
    },
    ...createOperatorHandlers(desk),
  };
}

/** A participant's session with the job it asks about. */
function participation(
  connection: Connection,
  asked: Hex,
  jobs: JobRegister,
): { readonly job: HostedJob; readonly address: Hex } {
  const session = sessionOf(connection, 'participant');
  const job = jobOfSession(jobs, session, asked);
  // Whoever was admitted once may have been banned since.
  if (!mayParticipate(job, session.address)) throw notAllowed(session.address, 'participant', asked);
  return { job, address: session.address };
}

/** Whoever has no stake is not waited for, and uploads nothing that would have to be refused. */
async function requireStake({ terms, eligibility }: HostedJob, address: Hex): Promise<void> {
  if (eligibility === undefined || (await eligibility.isStaked(address))) return;
  throw new RequestError(
    'session/not-staked',
    `${address} has no stake in job ${terms.job}, or is leaving: stake with "fedanchor stake add"`,
  );
}

function requireModel({ runner }: HostedJob, round: number, modelRoot: Hex): void {
  const { rounds } = runner.state.progress;
  if (round > rounds) {
    throw new RequestError('request/wrong-model', `round ${round} has no model yet: ${rounds} are done`);
  }
  if (modelRoot !== runner.modelRoot(round)) {
    throw new RequestError('request/wrong-model', `${modelRoot} is not the model of round ${round}`);
  }
}

function notAllowed(address: Hex, role: Role, job: Hex | null): SessionError {
  const what = role === 'participant' && job === null ? 'participant of no job: name the job' : role;
  return new SessionError('session/not-allowed', `${address} is not admitted as ${what}: ask the operator`, {
    address,
    role,
    job,
  });
}
