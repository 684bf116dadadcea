import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { WorkEvent } from './events.ts';
import { type Move, start, stop, unexpected } from './move.ts';
import type { Finishing, LiveSession } from './state.ts';

/** -> finishing, or -> stopped when the final model has been evaluated. */
export function finish(state: LiveSession, { round, modelRoot }: Pick<JobStateMessage, 'round' | 'modelRoot'>): Move {
  if (state.evaluated === modelRoot) return close(state, { round, modelRoot });
  return start(state, { at: 'finishing', round, modelRoot }, { name: 'fetchModel', modelRoot, plan: null });
}

/** finishing -> stopped, its three pieces of work done or one of them failed: metrics are advisory. */
export function onFinishing(state: LiveSession, activity: Finishing, event: WorkEvent): Move {
  const { at, round, modelRoot } = activity;
  switch (event.name) {
    case 'modelFetched':
      return start(state, { at, round, modelRoot }, { name: 'evaluate', model: event.model });
    case 'modelEvaluated': {
      const { evaluation } = event;
      return start(state, { at, round, modelRoot }, { name: 'reportMetrics', round, modelRoot, evaluation });
    }
    case 'metricsReported':
    case 'workFailed':
      return close(state, activity);
    default:
      throw unexpected(activity, event);
  }
}

/** -> stopped: the job is closed. */
export function close(state: LiveSession, { round, modelRoot }: Pick<Finishing, 'round' | 'modelRoot'>): Move {
  return stop(state, { kind: 'closed', rounds: round, modelRoot });
}
