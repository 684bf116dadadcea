import {
  AGGREGATE_FRACTION_BITS,
  LEARNING_RATE_BITS,
  MOMENTS_DENOMINATOR_BITS,
  MOMENTUM_FRACTION_BITS,
} from './constants.ts';
import type { Layout } from './layout.ts';
import { clampInt32 } from './model.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundDiv, roundDivBig } from './round-div.ts';
import type { FedAvgM } from './server-step-settings.ts';

/** Below this, twice a numerator plus its denominator is exact in a double. */
const EXACT = 2 ** 51;

/**
 * FedAvgM: `m' = momentum * m + aggregate`, `model' = model + rate * m'` (Hsu, Qi and Brown, "Measuring the effects of
 * non-identical data distribution for federated visual classification", 2019). Each is rounded once and cut to int32.
 *
 * The momentum counts units of 2^-(fractionBits + 4), a sixteenth of the model's, so that rounding it moves no model.
 * With `s = fractionBits + 4 - (updateBits + preScaleBits + 8)`, `up = max(s, 0)` and `down = max(-s, 0)`:
 *
 *     m'     = roundDiv(momentum * m * 2^down + aggregate * 2^(16 + up), 2^(16 + down))
 *     model' = model + roundDiv(rate * m', 2^20)
 *
 * Every term is below 2^100 in magnitude, so int256 holds it.
 *
 * @param before - model and momentum, D int32 each; not changed
 * @param aggregate - units of 2^-(updateBits + 8)
 * @param updateBits - the round's scale
 */
export function fedAvgMStep(
  layout: Layout,
  before: { readonly model: Int32Array; readonly state: Int32Array },
  aggregate: Int32Array,
  updateBits: number,
  step: FedAvgM,
): { readonly model: Int32Array; readonly state: Int32Array; readonly saturated: number } {
  const model = new Int32Array(layout.dimension);
  const state = new Int32Array(layout.dimension);
  const toModel = powerOfTwo(LEARNING_RATE_BITS + MOMENTUM_FRACTION_BITS);
  let saturated = 0;
  for (const slot of layout.slots) {
    const finer = slot.fractionBits + MOMENTUM_FRACTION_BITS;
    const shift = finer - (updateBits + slot.preScaleBits + AGGREGATE_FRACTION_BITS);
    const kept = step.momentum * powerOfTwo(Math.max(-shift, 0));
    const added = powerOfTwo(MOMENTS_DENOMINATOR_BITS + Math.max(shift, 0));
    const denominator = powerOfTwo(MOMENTS_DENOMINATOR_BITS + Math.max(-shift, 0));
    for (let at = slot.offset; at < slot.offset + slot.size; at++) {
      const momentum = quotient(kept * (before.state[at] as number), added * (aggregate[at] as number), denominator);
      const m = clampInt32(momentum);
      if (m !== momentum) saturated++;
      // rate <= 2^20 and |m| <= 2^31: twice the product and 2^20 more stay below 2^53.
      const exact = (before.model[at] as number) + roundDiv(step.learningRate * m, toModel);
      const next = clampInt32(exact);
      if (next !== exact) saturated++;
      state[at] = m;
      model[at] = next;
    }
  }
  return { model, state, saturated };
}

/**
 * `roundDiv(a + b, denominator)`. Both terms are integers of at most 47 bits times a power of two, so they are exact; a
 * sum that is found below 2^51 is exact too, being an integer. The others are rare and go through bigint.
 */
function quotient(a: number, b: number, denominator: number): number {
  const sum = a + b;
  if (sum < EXACT && sum > -EXACT && denominator <= EXACT) return roundDiv(sum, denominator);
  return Number(roundDivBig(BigInt(a) + BigInt(b), BigInt(denominator)));
}
