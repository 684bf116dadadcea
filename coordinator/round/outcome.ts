import { type Effect, effectsOf } from './effects.ts';
import type { JobState } from './state.ts';

/** A state and what the shell must do on entering it. */
export interface Step {
  /** The state after the event. */
  readonly state: JobState;
  /** Effects, all idempotent. */
  readonly effects: readonly Effect[];
}

/** The state is what it was, or differs only in what nobody waits for. */
export function unchanged(state: JobState): Step {
  return { state, effects: [] };
}

/** A state is entered: whatever it waits for is asked for. */
export function entered(state: JobState): Step {
  return { state, effects: effectsOf(state) };
}
