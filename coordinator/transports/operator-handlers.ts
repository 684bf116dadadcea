import type { AnswerOf, RequestOf } from '../../shared/protocol/messages.ts';
import type { OperatorDesk } from '../operator/operator-desk.ts';
import { type Connection, sessionOf } from './connection.ts';

type OperatorOperation = 'operator.jobs' | 'operator.job' | 'operator.act' | 'operator.participant';

/** The handlers of what only operators may ask. */
export type OperatorHandlers = {
  readonly [Name in OperatorOperation]: (connection: Connection, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;
};

/** Creates the handlers of what only operators may ask. */
export function createOperatorHandlers(desk: OperatorDesk): OperatorHandlers {
  return {
    'operator.jobs': async (connection, { which }) => {
      sessionOf(connection, 'operator');
      return { jobs: await desk.jobs(which) };
    },
    'operator.job': async (connection, { job }) => {
      sessionOf(connection, 'operator');
      return { job: desk.job(job) };
    },
    'operator.act': async (connection, { job, action, reason }) => {
      const { address } = sessionOf(connection, 'operator');
      return desk.act(address, job, action, reason);
    },
    'operator.participant': async (connection, { job, participant, action, reason }) => {
      const { address } = sessionOf(connection, 'operator');
      return desk.judge(address, job, participant, action, reason);
    },
  };
}
