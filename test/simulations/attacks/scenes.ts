import { createRng } from '../../../shared/rng.ts';
import type { Scene } from '../../../simulations/attacks/scene.ts';
import { meanOf } from '../../../simulations/attacks/vectors.ts';

/** A scene in round 1 with one attacker, whose rule is a plain mean; what is given replaces what it has. */
export function sceneOf(honest: readonly Float32Array[], given: Partial<Scene> = {}): Scene {
  const byzantine = given.byzantine ?? 1;
  return {
    round: 1,
    byzantine,
    participants: honest.length + byzantine,
    honest,
    own: [],
    lastMove: null,
    aggregate: async (updates) => new Float32Array(meanOf(updates)),
    rng: createRng(1, 'test/attacks'),
    memory: new Map(),
    ...given,
  };
}

/** Honest updates that differ: `count` of them, `length` values each, about a mean of 1. */
export function updatesOf(count: number, length: number, seed = 1): Float32Array[] {
  const rng = createRng(seed, 'test/updates');
  return Array.from({ length: count }, () =>
    Float32Array.from({ length }, () => 1 + rng.nextFloat() - rng.nextFloat()),
  );
}
