import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCalls } from './kernel-calls.ts';

/** Zeros before and after an axis; a negative count takes entries away instead. */
export type Margins = readonly [before: number, after: number];

/**
 * Convolves with stride 1 an input `[batch, height, width, channels]` that is first widened or cut along height and width.
 *
 * @param calls - the backend's kernels
 * @param kernel - `Conv2D` or `DepthwiseConv2dNative`
 * @param x - input
 * @param filter - `[height, width, in, out]`
 * @param margins - of height and of width
 * @param dilations - distance between the filter's rows and between its columns
 */
export function convolve(
  calls: KernelCalls,
  kernel: 'Conv2D' | 'DepthwiseConv2dNative',
  x: TensorInfo,
  filter: TensorInfo,
  margins: readonly [Margins, Margins],
  dilations: readonly [number, number] = [1, 1],
): TensorInfo {
  const ends = [[0, 0] as const, ...margins, [0, 0] as const];
  const zeros = ends.map((pair) => pair.map((count) => Math.max(count, 0)));
  const attrs = { strides: [1, 1], dilations: [...dilations], dataFormat: 'NHWC' };
  if (ends.every(([before, after]) => before >= 0 && after >= 0)) {
    return calls.run(kernel, { x, filter }, { ...attrs, pad: zeros });
  }
  // Widened before it is cut: of a small input the cut alone may leave nothing.
  const wide = calls.run('PadV2', { x }, { paddings: zeros, constantValue: 0 });
  const begin = ends.map(([before]) => Math.max(-before, 0));
  const size = wide.shape.map((length, axis) => {
    const [before, after] = ends[axis] as Margins;
    return length - Math.max(-before, 0) - Math.max(-after, 0);
  });
  return calls.run(kernel, { x: calls.run('Slice', { x: wide }, { begin, size }), filter }, { ...attrs, pad: 'valid' });
}

/**
 * Puts `stride - 1` zeros after each row and each column, so that a step over the result is one over the original.
 *
 * @param calls - the backend's kernels
 * @param x - `[batch, height, width, channels]`
 * @param strides - of height and of width
 * @returns `[batch, height * stride, width * stride, channels]`
 */
export function spread(calls: KernelCalls, x: TensorInfo, strides: readonly [number, number]): TensorInfo {
  const [down, across] = strides;
  if (down === 1 && across === 1) return x;
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const apart = calls.reshape(x, [batch * height, 1, width, 1, channels]);
  const paddings = [
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, across - 1],
    [0, 0],
  ];
  const padded = calls.run('PadV2', { x: apart }, { paddings, constantValue: 0 });
  return calls.reshape(padded, [batch, height * down, width * across, channels]);
}
