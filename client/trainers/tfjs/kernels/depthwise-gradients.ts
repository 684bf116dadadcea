import { filterGradientMargins, inputGradientMargins } from './convolution-gradients.ts';
import { convolutionSizes } from './convolution-sizes.ts';
import { convolve, spread } from './convolve.ts';
import type { Composition, Operands } from './kernel-calls.ts';

/**
 * `DepthwiseConv2dNativeBackpropFilter`: the gradient of a depthwise convolution by its filter `[height, width, channels,
 * multiplier]`. For each place in the filter, the part of the input that this place saw, times `dy`, summed over batch,
 * rows and columns.
 */
export const depthwiseFilterGradient: Composition = (calls, inputs, attrs) => {
  const { x, dy } = inputs as Operands<'x' | 'dy'>;
  const filterShape = attrs['filterShape'] as number[];
  const { batch, inChannels, outChannels, axes } = convolutionSizes(x.shape, filterShape, attrs, true);
  const [rows, columns] = axes;
  const multiplier = outChannels / inChannels;
  const margins = [filterGradientMargins(rows), filterGradientMargins(columns)];
  const paddings = [[0, 0], ...margins.map((ends) => ends.map((zeros) => Math.max(zeros, 0))), [0, 0]];
  const padded = calls.run('PadV2', { x }, { paddings, constantValue: 0 });
  const places = batch * rows.output * columns.output;
  // Channels first, so that each sum runs over neighbours in memory.
  const slopes = calls.reshape(calls.transpose(calls.reshape(dy, [places, inChannels, multiplier]), [1, 2, 0]), [
    inChannels,
    multiplier,
    places,
  ]);
  const sums = [];
  for (let row = 0; row < rows.filter; row++) {
    for (let column = 0; column < columns.filter; column++) {
      const seen = calls.run(
        'StridedSlice',
        { x: padded },
        {
          begin: [0, row, column, 0],
          end: [
            batch,
            row + (rows.output - 1) * rows.stride + 1,
            column + (columns.output - 1) * columns.stride + 1,
            inChannels,
          ],
          strides: [1, rows.stride, columns.stride, 1],
          beginMask: 0,
          endMask: 0,
          ellipsisMask: 0,
          newAxisMask: 0,
          shrinkAxisMask: 0,
        },
      );
      const byChannel = calls.reshape(calls.transpose(calls.reshape(seen, [places, inChannels]), [1, 0]), [
        inChannels,
        1,
        places,
      ]);
      const product = calls.run('Multiply', { a: byChannel, b: slopes });
      sums.push(calls.run('Sum', { x: product }, { axis: [2], keepDims: false }));
    }
  }
  const flat = sums.map((sum) => calls.reshape(sum, [1, outChannels]));
  const all = calls.run('Concat', flat, { axis: 0 });
  return calls.reshape(all, filterShape);
};

/**
 * `DepthwiseConv2dNativeBackpropInput`: the gradient of a depthwise convolution by its input. Each channel of `dy`, spread by
 * the stride, is convolved with its own filter turned by half a turn; those of one input channel are added.
 */
export const depthwiseInputGradient: Composition = (calls, inputs, attrs) => {
  const { dy, filter } = inputs as Operands<'dy' | 'filter'>;
  const inputShape = attrs['inputShape'] as number[];
  const { inChannels, outChannels, axes } = convolutionSizes(inputShape, filter.shape, attrs, true);
  const [rows, columns] = axes;
  const turned = calls.run('Reverse', { x: filter }, { dims: [0, 1] });
  const each = convolve(
    calls,
    'DepthwiseConv2dNative',
    spread(calls, dy, [rows.stride, columns.stride]),
    calls.reshape(turned, [rows.filter, columns.filter, outChannels, 1]),
    [inputGradientMargins(rows), inputGradientMargins(columns)],
  );
  if (outChannels === inChannels) return each;
  const grouped = calls.reshape(each, [...inputShape, outChannels / inChannels]);
  return calls.run('Sum', { x: grouped }, { axis: [4], keepDims: false });
};
