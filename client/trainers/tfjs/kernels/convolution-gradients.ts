import { type AxisSizes, convolutionSizes } from './convolution-sizes.ts';
import { convolve, type Margins, spread } from './convolve.ts';
import type { Composition, Operands } from './kernel-calls.ts';

/**
 * `Conv2DBackpropFilter`: the gradient of a convolution by its filter,
 * `dW[a,b,c,o] = sum over n,i,j of x[n, i*stride + a - before, j*stride + b - before, c] * dy[n,i,j,o]`.
 *
 * That is a convolution itself: channels take the batch's place and the batch that of the channels, `dy` is the filter,
 * its rows `stride` apart.
 */
export const convolutionFilterGradient: Composition = (calls, inputs, attrs) => {
  const { x, dy } = inputs as Operands<'x' | 'dy'>;
  const { axes } = convolutionSizes(x.shape, attrs['filterShape'] as number[], attrs, false);
  const sums = convolve(
    calls,
    'Conv2D',
    calls.transpose(x, [3, 1, 2, 0]),
    calls.transpose(dy, [1, 2, 0, 3]),
    [filterGradientMargins(axes[0]), filterGradientMargins(axes[1])],
    [axes[0].stride, axes[1].stride],
  );
  return calls.transpose(sums, [1, 2, 0, 3]);
};

/**
 * `Conv2DBackpropInput`: the gradient of a convolution by its input, or a transposed convolution: `dy`, spread by the
 * stride, convolved with the filter turned by half a turn, its channels exchanged. The WASM backend has one of its own, a scalar
 * loop; this is several times faster.
 */
export const convolutionInputGradient: Composition = (calls, inputs, attrs) => {
  const { dy, filter } = inputs as Operands<'dy' | 'filter'>;
  const { axes } = convolutionSizes(attrs['inputShape'] as number[], filter.shape, attrs, false);
  const turned = calls.transpose(calls.run('Reverse', { x: filter }, { dims: [0, 1] }), [0, 1, 3, 2]);
  return convolve(calls, 'Conv2D', spread(calls, dy, [axes[0].stride, axes[1].stride]), turned, [
    inputGradientMargins(axes[0]),
    inputGradientMargins(axes[1]),
  ]);
};

/** Widens or cuts the input so that the filter gradient's convolution has as many results as the filter has rows. */
export function filterGradientMargins({ input, filter, output, stride, before }: AxisSizes): Margins {
  return [before, (output - 1) * stride + filter - input - before];
}

/** Widens or cuts the spread `dy` so that the input gradient's convolution has as many results as the input has rows. */
export function inputGradientMargins({ input, filter, output, stride, before }: AxisSizes): Margins {
  const front = filter - 1 - before;
  return [front, input + filter - 1 - front - output * stride];
}
