import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { HostedJob } from '../job-register.ts';
import { jobStateMessage } from '../job-state-message.ts';
import type { JobState } from '../round/state.ts';

/**
 * Tells participants where a job stands whenever that becomes something else, and only then: of the thousands of events
 * of a large round all but a few say nothing new to them, and each notice goes to everybody.
 *
 * @param job - the job
 * @param now - milliseconds since 1970
 * @param tell - sends a notice to all who are connected for the job
 * @returns the way to stop it
 */
export function announceChanges(
  { terms, runner }: Pick<HostedJob, 'terms' | 'runner'>,
  now: () => number,
  tell: (state: JobStateMessage) => void,
): () => void {
  const { job } = terms;
  // Time that passes is no change; a deadline that is moved is one.
  const identityOf = (state: JobState, message: JobStateMessage): string =>
    JSON.stringify({ ...message, remainingMs: state.phase === 'collecting' ? state.deadlineAt : null });
  let announced = identityOf(runner.state, jobStateMessage(job, runner.state, now()));
  return runner.subscribe((_event, state) => {
    const message = jobStateMessage(job, state, now());
    const identity = identityOf(state, message);
    if (identity === announced) return;
    announced = identity;
    tell(message);
  });
}
