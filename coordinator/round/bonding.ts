import type { JobEvent } from './events.ts';
import { openRound } from './opening.ts';
import { type Step, unchanged } from './outcome.ts';
import { type JobRules, type JobState, mayOpen } from './state.ts';

/**
 * What follows from the coordinator's bond: below what the manifest asks for no further round opens, since nothing would
 * answer for it. A round that is open is finished, and what is on its way to the chain arrives.
 */
export function bonded(
  rules: JobRules,
  state: JobState,
  event: Extract<JobEvent, { readonly type: 'bondFellShort' | 'bondRestored' }>,
): Step {
  if (event.type === 'bondFellShort') {
    const { held, needed } = event;
    return unchanged({ ...state, progress: { ...state.progress, unbonded: { held, needed } } });
  }
  const { unbonded, ...progress } = state.progress;
  if (unbonded === undefined) return unchanged(state);
  const next = { ...state, progress };
  return next.phase === 'open' && mayOpen(next) ? openRound(rules, progress, event.at) : unchanged(next);
}
