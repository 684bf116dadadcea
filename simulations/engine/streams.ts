import { createRng, type Rng, rngState } from '../../shared/rng.ts';

/**
 * A run's random numbers for one purpose, one client, one round: no draw of one thing moves another's.
 *
 * @param seed - the run's seed
 * @param label - what they are for
 * @param at - whose and when: client, round, epoch
 */
export function streamOf(seed: number, label: string, ...at: readonly number[]): Rng {
  return createRng(seed, labelOf(label, at));
}

/** Where {@link streamOf} begins, for the kernel that draws four streams at once. */
export function streamState(seed: number, label: string, ...at: readonly number[]): readonly number[] {
  return rngState(seed, labelOf(label, at));
}

function labelOf(label: string, at: readonly number[]): string {
  return `simulation/${[label, ...at].join('/')}`;
}
