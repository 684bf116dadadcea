import { type Hex, ZERO_HASH } from '../bytes.ts';
import { TREE } from '../commitments/merkle-tree.ts';
import { blockRoot } from '../commitments/vector-trees.ts';
import { FedanchorError } from '../errors.ts';
import { TAU_BITS } from './constants.ts';
import type { Layout } from './layout.ts';
import { powerOfTwo } from './power-of-two.ts';
import type { ServerStep } from './server-step-settings.ts';

/** Thrown when bytes are not a state that a server step could have left. */
export class ServerStateError extends FedanchorError<
  'server-state/wrong-length' | 'server-state/dirty-padding' | 'server-state/bad-moment'
> {}

/**
 * How many 4-byte words a step keeps from round to round: none for FedAvg, D for FedAvgM (momentum, int32), 2 D for the
 * adaptive steps (first moments, then second moments, the bits of IEEE float32).
 */
export function serverStateWords(layout: Layout, step: ServerStep): number {
  if (step.name === 'FedAvg') return 0;
  return step.name === 'FedAvgM' ? layout.dimension : 2 * layout.dimension;
}

/**
 * The state before round 1: no momentum, and `tau^2` for second moments, the least that Reddi et al. (2021) allow.
 *
 * @returns words as {@link serverStateWords} counts them, null for a step that keeps none
 */
export function initialServerState(layout: Layout, step: ServerStep): Int32Array | null {
  const words = serverStateWords(layout, step);
  if (words === 0) return null;
  const state = new Int32Array(words);
  if (!('tau' in step)) return state;
  const tau = step.tau / powerOfTwo(TAU_BITS);
  const second = new Float32Array(state.buffer).subarray(layout.dimension);
  for (const { offset, size } of layout.slots) second.fill(tau * tau, offset, offset + size);
  return state;
}

/** Root over a server's state, a leaf 64 words; 32 zero bytes for a step that keeps none. */
export function serverStateRoot(state: Int32Array | null): Hex {
  return state === null ? ZERO_HASH : blockRoot(TREE.serverState, state);
}

/**
 * Holds words that came from elsewhere to what a step can have left: as many as it keeps, zeros in the padding, finite
 * moments, the second ones not negative. Whoever published them may have chosen them.
 *
 * @throws ServerStateError
 */
export function checkServerState(layout: Layout, step: ServerStep, state: Int32Array): void {
  const words = serverStateWords(layout, step);
  if (state.length !== words) {
    const sentence = `${step.name} keeps ${words} words for this model, the state has ${state.length}: give the parent round's`;
    throw new ServerStateError('server-state/wrong-length', sentence, { words, found: state.length });
  }
  for (let start = 0; start < words; start += layout.dimension) {
    for (const { offset, size, paddedSize } of layout.slots) {
      for (let at = start + offset + size; at < start + offset + paddedSize; at++) {
        if (state[at] === 0) continue;
        const sentence = `word ${at} of the server's state is padding and must be zero, not ${state[at]}`;
        throw new ServerStateError('server-state/dirty-padding', sentence, { word: at });
      }
    }
  }
  if (!('tau' in step)) return;
  const moments = new Float32Array(state.buffer, state.byteOffset, words);
  for (let at = 0; at < words; at++) {
    const moment = moments[at] as number;
    if (Number.isFinite(moment) && (at < layout.dimension || moment >= 0)) continue;
    const sentence = `word ${at} of the server's state is ${moment}: moments are finite, second ones not negative`;
    throw new ServerStateError('server-state/bad-moment', sentence, { word: at });
  }
}
