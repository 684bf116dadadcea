import type { Hex } from '../shared/bytes.ts';
import type { JobStateMessage } from '../shared/protocol/messages.ts';
import type { JobState } from './round/state.ts';

/** What participants are told about where a job stands. */
export function jobStateMessage(job: Hex, state: JobState, now: number): JobStateMessage {
  const collecting = state.phase === 'collecting';
  return {
    job,
    phase: state.phase,
    round: state.progress.rounds,
    modelRoot: state.progress.modelRoot,
    plan: collecting ? state.plan : null,
    remainingMs: collecting ? Math.max(0, state.deadlineAt - now) : null,
    ...(collecting && state.draw && { draw: state.draw }),
    reason: state.phase === 'failed' ? state.reason : null,
  };
}
