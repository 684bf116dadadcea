import { AGGREGATE_FRACTION_BITS, LEARNING_RATE_BITS, MOMENTS_DENOMINATOR_BITS, TAU_BITS } from './constants.ts';
import type { Layout } from './layout.ts';
import { clampInt32 } from './model.ts';
import { powerOfTwo } from './power-of-two.ts';
import type { AdaptiveStep } from './server-step-settings.ts';

/** The next second moment from the one before and the square of the aggregate. */
type SecondMoment = (before: number, square: number) => number;

/**
 * FedAdagrad, FedYogi and FedAdam (Reddi et al., "Adaptive federated optimization", 2021, algorithm 2), without the bias
 * correction that the algorithm does not have:
 *
 *     m' = beta1 * m + (1 - beta1) * a
 *     v' = v + a^2                                    FedAdagrad
 *          v - (1 - beta2) * a^2 * sign(v - a^2)      FedYogi
 *          beta2 * v + (1 - beta2) * a^2              FedAdam
 *     model' = model + rate * m' / (sqrt(v') + tau)
 *
 * In float64, in this order and with `+ - * / sqrt` alone, which IEEE 754 rounds correctly on every machine; `a` is the
 * aggregate as a real number, an integer over a power of two and so exact. Moments are rounded once to float32, as they
 * are stored and committed to; the model's change once to its integers, halves upwards. For anyone to recompute, and not
 * for a contract: an EVM has no such roots.
 *
 * @param before - model, D int32, and state: D first moments, then D second ones, bits of float32; not changed
 * @param aggregate - units of 2^-(updateBits + 8)
 * @param updateBits - the round's scale
 */
export function adaptiveStep(
  layout: Layout,
  before: { readonly model: Int32Array; readonly state: Int32Array },
  aggregate: Int32Array,
  updateBits: number,
  step: AdaptiveStep,
): { readonly model: Int32Array; readonly state: Int32Array; readonly saturated: number } {
  const { dimension } = layout;
  const moments = new Float32Array(before.state.buffer, before.state.byteOffset, 2 * dimension);
  const model = new Int32Array(dimension);
  const state = new Int32Array(2 * dimension);
  const next = new Float32Array(state.buffer);
  const whole = powerOfTwo(MOMENTS_DENOMINATOR_BITS);
  const [beta1, rest1] = [step.beta1 / whole, (whole - step.beta1) / whole];
  const rate = step.learningRate / powerOfTwo(LEARNING_RATE_BITS);
  const tau = step.tau / powerOfTwo(TAU_BITS);
  const secondMoment = secondMomentOf(step);
  let saturated = 0;
  for (const slot of layout.slots) {
    const unit = powerOfTwo(slot.fractionBits);
    const aggregateUnit = powerOfTwo(-(updateBits + slot.preScaleBits + AGGREGATE_FRACTION_BITS));
    for (let at = slot.offset; at < slot.offset + slot.size; at++) {
      const a = (aggregate[at] as number) * aggregateUnit;
      const m = Math.fround(beta1 * (moments[at] as number) + rest1 * a);
      const v = Math.fround(secondMoment(moments[dimension + at] as number, a * a));
      const change = (rate * m) / (Math.sqrt(v) + tau);
      const exact = (before.model[at] as number) + Math.floor(change * unit + 0.5);
      const kept = clampInt32(exact);
      if (kept !== exact) saturated++;
      next[at] = m;
      next[dimension + at] = v;
      model[at] = kept;
    }
  }
  return { model, state, saturated };
}

function secondMomentOf(step: AdaptiveStep): SecondMoment {
  if (step.name === 'FedAdagrad') return (before, square) => before + square;
  const whole = powerOfTwo(MOMENTS_DENOMINATOR_BITS);
  const [beta2, rest2] = [step.beta2 / whole, (whole - step.beta2) / whole];
  if (step.name === 'FedAdam') return (before, square) => beta2 * before + rest2 * square;
  return (before, square) => {
    if (before === square) return before;
    return before > square ? before - rest2 * square : before + rest2 * square;
  };
}
