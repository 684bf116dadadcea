import type { ConvolutionPlan } from '../model-plan.ts';
import { type Bench, type Layer, VALUE } from './layer.ts';

/** Bytes of windows that are laid out at a time: they stay in a core's own cache. */
const MOST_BYTES = 2 ** 18;

/** Sizes of a convolution's products. */
export interface ConvolutionSizes {
  /** Values of a window: inner extent of the product. */
  readonly steps: number;
  /** Window positions across. */
  readonly columns: number;
  /** Window positions down. */
  readonly lines: number;
  /** Lines of positions that are laid out at a time. */
  readonly linesAtOnce: number;
}

/** Works the sizes out. */
export function convolutionSizes({ height, width, channels, size }: ConvolutionPlan): ConvolutionSizes {
  const steps = size * size * channels;
  const columns = width - size + 1;
  const lines = height - size + 1;
  const linesAtOnce = Math.min(lines, Math.max(1, Math.floor(MOST_BYTES / (columns * steps * VALUE))));
  return { steps, columns, lines, linesAtOnce };
}

/**
 * A convolution as a product of matrices: its windows, laid out as rows, times the weights. Windows are laid out again on
 * the way back rather than kept.
 */
export function createConvolution(plan: ConvolutionPlan, bench: Bench): Layer {
  const { kernels, values, slopes, left, right, otherRight, windows } = bench;
  const { height, width, channels, size, filters } = plan;
  const { steps, columns, lines, linesAtOnce } = convolutionSizes(plan);
  const imageBytes = height * width * channels * VALUE;
  const lineBytes = width * channels * VALUE;
  const outLine = columns * filters * VALUE;
  const outBytes = lines * outLine;
  const outRow = filters * VALUE;
  const windowBytes = steps * VALUE;
  const x = values[plan.from] as number;
  const y = values[plan.to] as number;
  const dx = slopes[plan.from] as number;
  const dy = slopes[plan.to] as number;

  /** Lays out some lines of positions of an example and hands over how many positions they are. */
  const eachPart = (row: number, use: (positions: number, line: number) => void): void => {
    for (let line = 0; line < lines; line += linesAtOnce) {
      const count = Math.min(linesAtOnce, lines - line);
      const image = x + row * imageBytes + line * lineBytes;
      kernels.windows(image, width, channels, count, columns, size, windows);
      use(count * columns, line);
    }
  };

  return {
    forward: (weights, rows) => {
      const biases = weights + plan.biases * VALUE;
      kernels.packColumns(weights + plan.weights * VALUE, outRow, steps, filters, right);
      for (let row = 0; row < rows; row++) {
        eachPart(row, (positions, line) => {
          kernels.packRows(windows, windowBytes, positions, steps, 4, left);
          const to = y + row * outBytes + line * outLine;
          kernels.multiply(left, 4 * windowBytes, 16, positions, steps, right, filters, biases, 0, to, outRow);
        });
      }
    },
    backward: (weights, rows, segments) => {
      for (const { row: from, rows: count, gradient, first } of segments) {
        const to = gradient + plan.weights * VALUE;
        const biases = gradient + plan.biases * VALUE;
        let start = first ? 0 : to;
        for (let row = from; row < from + count; row++) {
          eachPart(row, (positions, line) => {
            kernels.packColumns(dy + row * outBytes + line * outLine, outRow, positions, filters, right);
            kernels.multiply(windows, 16, windowBytes, steps, positions, right, filters, start, outRow, to, outRow);
            start = to;
          });
        }
        kernels.sumRows(dy + from * outBytes, outRow, count * lines * columns, filters, first ? 0 : biases, biases);
      }
      if (dx === 0) return;
      kernels.packRows(weights + plan.weights * VALUE, outRow, steps, filters, 8, otherRight);
      new Uint8Array(bench.memory.buffer, dx, rows * imageBytes).fill(0);
      for (let row = 0; row < rows; row++) {
        for (let line = 0; line < lines; line += linesAtOnce) {
          const count = Math.min(linesAtOnce, lines - line);
          const positions = count * columns;
          kernels.packRows(dy + row * outBytes + line * outLine, outRow, positions, filters, 4, left);
          kernels.multiply(left, 4 * outRow, 16, positions, filters, otherRight, steps, 0, 0, windows, windowBytes);
          const image = dx + row * imageBytes + line * lineBytes;
          kernels.addWindows(windows, width, channels, count, columns, size, image);
        }
      }
    },
  };
}
