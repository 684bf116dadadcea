import type { DensePlan } from '../model-plan.ts';
import { type Bench, type Layer, VALUE } from './layer.ts';

/** `y = x W + b`; the gradient of W is `x^T dy`, that of b the sum of dy over rows, and `dx = dy W^T`. */
export function createDense(plan: DensePlan, { kernels, values, slopes, left, right }: Bench): Layer {
  const { inputs, outputs } = plan;
  const inRow = inputs * VALUE;
  const outRow = outputs * VALUE;
  const x = values[plan.from] as number;
  const y = values[plan.to] as number;
  const dx = slopes[plan.from] as number;
  const dy = slopes[plan.to] as number;
  return {
    forward: (weights, rows) => {
      kernels.packRows(x, inRow, rows, inputs, 4, left);
      kernels.packColumns(weights + plan.weights * VALUE, outRow, inputs, outputs, right);
      const biases = weights + plan.biases * VALUE;
      kernels.multiply(left, 4 * inRow, 16, rows, inputs, right, outputs, biases, 0, y, outRow);
    },
    backward: (weights, rows, segments) => {
      for (const { row, rows: count, gradient, first } of segments) {
        const from = dy + row * outRow;
        const to = gradient + plan.weights * VALUE;
        kernels.packColumns(from, outRow, count, outputs, right);
        // x is its own packing here: four inputs of one example stand side by side.
        const start = first ? 0 : to;
        kernels.multiply(x + row * inRow, 16, inRow, inputs, count, right, outputs, start, outRow, to, outRow);
        const biases = gradient + plan.biases * VALUE;
        kernels.sumRows(from, outRow, count, outputs, first ? 0 : biases, biases);
      }
      if (dx === 0) return;
      kernels.packRows(dy, outRow, rows, outputs, 4, left);
      kernels.packRows(weights + plan.weights * VALUE, outRow, inputs, outputs, 8, right);
      kernels.multiply(left, 4 * outRow, 16, rows, outputs, right, inputs, 0, 0, dx, inRow);
    },
  };
}
