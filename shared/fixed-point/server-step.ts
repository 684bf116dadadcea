import { adaptiveStep } from './adaptive-step.ts';
import { AGGREGATE_FRACTION_BITS, LEARNING_RATE_BITS } from './constants.ts';
import { fedAvgMStep } from './fed-avg-m.ts';
import type { Layout } from './layout.ts';
import { clampInt32 } from './model.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundDiv } from './round-div.ts';
import { checkServerState, initialServerState } from './server-state.ts';
import type { FedAvg, ServerStep } from './server-step-settings.ts';

/** The state of a step that keeps none. */
const NOTHING = new Int32Array(0);

/** What the server keeps from round to round. */
export interface ServerVectors {
  /** The model, D coordinates. */
  readonly model: Int32Array;
  /** The optimizer's state as words; null before round 1, and for a step that keeps none. */
  readonly state: Int32Array | null;
}

/** A model and state after a step, and how often they had to be cut to int32. */
export interface Stepped extends ServerVectors {
  /** Coordinates of model and momentum that did not fit and were cut to the nearest end of int32. */
  readonly saturated: number;
}

/**
 * The server's step: `(model, state, aggregate) -> (model', state')`, the same bits on every machine.
 *
 * @param layout - the job's layout
 * @param before - model and state before the round; not changed
 * @param aggregate - units of 2^-(updateBits + 8)
 * @param updateBits - the round's scale
 * @param step - what the manifest fixes
 * @throws ServerStateError if the state is not one that the step could have left
 */
export function serverStep(
  layout: Layout,
  before: ServerVectors,
  aggregate: Int32Array,
  updateBits: number,
  step: ServerStep,
): Stepped {
  const state = before.state ?? initialServerState(layout, step) ?? NOTHING;
  checkServerState(layout, step, state);
  const { model } = before;
  switch (step.name) {
    case 'FedAvg':
      return fedAvgStep(layout, model, aggregate, updateBits, step);
    case 'FedAvgM':
      return fedAvgMStep(layout, { model, state }, aggregate, updateBits, step);
    case 'FedAdagrad':
    case 'FedYogi':
    case 'FedAdam':
      return adaptiveStep(layout, { model, state }, aggregate, updateBits, step);
  }
}

/** FedAvg (McMahan et al. 2017): `model' = model + rate * aggregate`, rounded once, cut to int32. */
function fedAvgStep(
  layout: Layout,
  before: Int32Array,
  aggregate: Int32Array,
  updateBits: number,
  { learningRate }: FedAvg,
): Stepped {
  const model = new Int32Array(layout.dimension);
  let saturated = 0;
  for (const slot of layout.slots) {
    const shift = slot.fractionBits - (updateBits + slot.preScaleBits + AGGREGATE_FRACTION_BITS + LEARNING_RATE_BITS);
    const [up, down] = [powerOfTwo(Math.max(shift, 0)), powerOfTwo(Math.max(-shift, 0))];
    for (let at = slot.offset; at < slot.offset + slot.size; at++) {
      // |aggregate| <= 2^21 and rate <= 2^20: the product is exact, and so is its scaling by a power of two. Where the
      // sum is beyond 2^53 and no longer exact, it is far beyond int32 too and cut.
      const product = (aggregate[at] as number) * learningRate;
      const delta = shift >= 0 ? product * up : roundDiv(product, down);
      const exact = (before[at] as number) + delta;
      const kept = clampInt32(exact);
      if (kept !== exact) saturated++;
      model[at] = kept;
    }
  }
  return { model, state: null, saturated };
}
