import type { Layout } from '../../shared/fixed-point/layout.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';

/** The models of the last rounds. */
export interface Models {
  /** The newest, as it is in rounds. */
  readonly newest: Int32Array;
  /** The newest as clients train it. */
  readonly weights: Float32Array;
  /** The model that a round left, 0 being the one before round 1. */
  after(round: number): Float32Array;
  /** By how much the last round moved the model; null before round 1. */
  lastMove(): Float32Array | null;
  /** Takes the next round's model. */
  push(model: Int32Array): void;
}

/**
 * Keeps the models that updates may be trained from.
 *
 * @param initial - the model before round 1
 * @param kept - how many
 */
export function createModels(layout: Layout, initial: Int32Array, kept: number): Models {
  let newest = initial;
  let round = 0;
  let before: Float32Array | null = null;
  // The newest last.
  let last = [floatsOf(layout, initial)];
  return {
    get newest() {
      return newest;
    },
    get weights() {
      return last.at(-1) as Float32Array;
    },
    after: (wanted) => {
      const found = last[last.length - 1 - (round - wanted)];
      if (found === undefined) throw new RangeError(`the model of round ${wanted} is no longer there`);
      return found;
    },
    lastMove: () => {
      if (before === null) return null;
      const now = last.at(-1) as Float32Array;
      const move = new Float32Array(now.length);
      for (let at = 0; at < move.length; at++) move[at] = (now[at] as number) - (before[at] as number);
      return move;
    },
    push: (model) => {
      before = last.at(-1) as Float32Array;
      newest = model;
      round++;
      last = [...last.slice(Math.max(0, last.length + 1 - kept)), floatsOf(layout, model)];
    },
  };
}

/** A model as one vector of float32, without padding. */
function floatsOf(layout: Layout, model: Int32Array): Float32Array {
  const [first, ...others] = decodeModel(layout, model) as [Float32Array];
  if (others.length === 0) return first;
  const all = new Float32Array(layout.parameters);
  let at = 0;
  for (const tensor of [first, ...(others as Float32Array[])]) {
    all.set(tensor, at);
    at += tensor.length;
  }
  return all;
}

/** One vector as the layout's tensors. */
export function splitTensors(layout: Layout, vector: Float32Array): Float32Array[] {
  let at = 0;
  return layout.slots.map(({ size }) => {
    at += size;
    return vector.subarray(at - size, at);
  });
}
