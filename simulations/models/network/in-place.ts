import type { InPlacePlan } from '../model-plan.ts';
import { type Bench, type Layer, VALUE } from './layer.ts';

/** What is below zero becomes zero; slopes pass where the value is above it. */
export function createRectifier({ to, values: count }: InPlacePlan, { kernels, values, slopes }: Bench): Layer {
  const at = values[to] as number;
  const slopesAt = slopes[to] as number;
  return {
    forward: (_weights, rows) => kernels.rectify(at, rows * count),
    backward: (_weights, rows) => kernels.rectifySlopes(slopesAt, at, rows * count),
  };
}

/**
 * Leaves values out with a chance while training and scales the others up by `1 / (1 - rate)` (Srivastava, Hinton,
 * Krizhevsky, Sutskever and Salakhutdinov, "Dropout", 2014). A client's factors come from its own stream, example by
 * example, so that they do not depend on who is trained together with it.
 *
 * @param factors - address of as many values as the buffer has
 */
export function createDropout(plan: InPlacePlan, { kernels, memory, values, slopes }: Bench, factors: number): Layer {
  const { to, values: count, rate } = plan;
  const at = values[to] as number;
  const slopesAt = slopes[to] as number;
  const threshold = Math.floor(rate * 2 ** 32);
  const kept = Math.fround(1 / (1 - rate));
  return {
    forward: (_weights, rows, segments) => {
      if (segments === null) return;
      for (const { row, rows: some, rng } of segments) {
        const target = new Float32Array(memory.buffer, factors + row * count * VALUE, some * count);
        for (let i = 0; i < target.length; i++) target[i] = rng !== null && rng.nextUint32() < threshold ? 0 : kept;
      }
      kernels.scaleBy(at, factors, rows * count);
    },
    backward: (_weights, rows) => kernels.scaleBy(slopesAt, factors, rows * count),
  };
}
