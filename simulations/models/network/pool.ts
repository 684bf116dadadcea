import type { PoolPlan } from '../model-plan.ts';
import { type Bench, type Layer, VALUE } from './layer.ts';

/**
 * The largest of every 2 x 2 square; its slope goes to the one that was the largest.
 *
 * @param which - address of a byte for each value that goes out
 */
export function createPool(plan: PoolPlan, { kernels, values, slopes }: Bench, which: number): Layer {
  const { height, width, channels } = plan;
  const imageBytes = height * width * channels * VALUE;
  const outCount = Math.floor(height / 2) * Math.floor(width / 2) * channels;
  const x = values[plan.from] as number;
  const y = values[plan.to] as number;
  const dx = slopes[plan.from] as number;
  const dy = slopes[plan.to] as number;
  return {
    forward: (_weights, rows) => {
      for (let row = 0; row < rows; row++) {
        const to = y + row * outCount * VALUE;
        kernels.poolMost(x + row * imageBytes, height, width, channels, to, which + row * outCount);
      }
    },
    backward: (_weights, rows) => {
      if (dx === 0) return;
      for (let row = 0; row < rows; row++) {
        const from = dy + row * outCount * VALUE;
        kernels.poolSlopes(from, which + row * outCount, height, width, channels, dx + row * imageBytes);
      }
    },
  };
}
