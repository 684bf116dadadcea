import { AGGREGATE_FRACTION_BITS } from './constants.ts';
import type { Layout } from './layout.ts';
import { clampInt32, type Saturated } from './model.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundDiv } from './round-div.ts';

/** Binary places of the server's learning rate: 65536 is a rate of 1. */
export const LEARNING_RATE_BITS = 16;

/** The server's step as the manifest fixes it. */
export interface ServerStep {
  /** Name of the step: FedAvg adds the aggregate to the model. */
  readonly name: 'FedAvg';
  /** Learning rate in units of 2^-16, 1 to 2^20. */
  readonly learningRate: number;
}

/**
 * FedAvg (McMahan et al. 2017): `model' = model + rate * aggregate`, rounded once, cut to int32.
 *
 * @param layout - the job's layout
 * @param model - the parent model
 * @param aggregate - units of 2^-(updateBits + 8)
 * @param updateBits - the round's scale
 * @param step - the server's step
 */
export function serverStep(
  layout: Layout,
  model: Int32Array,
  aggregate: Int32Array,
  updateBits: number,
  step: ServerStep,
): Saturated<Int32Array> {
  const vector = new Int32Array(layout.dimension);
  let saturated = 0;
  for (const slot of layout.slots) {
    const shift = slot.fractionBits - (updateBits + slot.preScaleBits + AGGREGATE_FRACTION_BITS + LEARNING_RATE_BITS);
    for (let at = slot.offset; at < slot.offset + slot.size; at++) {
      // |aggregate| <= 2^21 and rate <= 2^20: the product is exact, and so is its scaling by a power of two. Where the
      // sum is beyond 2^53 and no longer exact, it is far beyond int32 too and cut.
      const product = (aggregate[at] as number) * step.learningRate;
      const delta = shift >= 0 ? product * powerOfTwo(shift) : roundDiv(product, powerOfTwo(-shift));
      const exact = (model[at] as number) + delta;
      const kept = clampInt32(exact);
      if (kept !== exact) saturated++;
      vector[at] = kept;
    }
  }
  return { vector, saturated };
}
