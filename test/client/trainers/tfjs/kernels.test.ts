import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runOnBackend, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';
import { createRng } from '../../../../shared/rng.ts';

interface Operand {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

type Operands = Readonly<Record<string, Operand>> | readonly Operand[];

/** Small whole numbers, so that every order of adding them gives the same float32. */
function whole(shape: readonly number[], seed: number): Operand {
  const rng = createRng(seed, 'whole');
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: Float32Array.from({ length: size }, () => Math.floor(9 * rng.nextFloat()) - 4) };
}

/** Runs a kernel on a backend, and makes sure that it keeps nothing but its result. */
async function runOn(
  name: 'wasm' | 'cpu',
  kernel: string,
  operands: Operands,
  attrs: object,
): Promise<{ shape: number[]; values: number[] }> {
  const backend = await selectBackend(name);
  return runOnBackend(backend, async () => {
    const tensors = tf.memory().numTensors;
    const buffers = tf.engine().backend.numDataIds();
    const result = tf.tidy(() => {
      const make = ({ shape, values }: Operand): tf.Tensor =>
        tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32');
      // Some kernels take a list.
      const inputs = Array.isArray(operands)
        ? operands.map(make)
        : Object.fromEntries(Object.entries(operands).map(([key, operand]) => [key, make(operand)]));
      const output = tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as tf.Tensor;
      return { shape: output.shape, values: Array.from(output.dataSync()) };
    });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(tf.engine().backend.numDataIds()).toBe(buffers);
    return result;
  });
}

async function agree(kernel: string, operands: Operands, attrs: object): Promise<void> {
  const onWasm = await runOn('wasm', kernel, operands, attrs);
  const onCpu = await runOn('cpu', kernel, operands, attrs);
  expect(onWasm.shape).toEqual(onCpu.shape);
  expect(onWasm.values.map((value) => value + 0)).toEqual(onCpu.values.map((value) => value + 0));
}

interface Convolution {
  readonly xShape: readonly [number, number, number, number];
  readonly filterShape: readonly [number, number, number, number];
  readonly dyShape: readonly number[];
  readonly strides: readonly [number, number];
  readonly pad: 'same' | 'valid' | number[][];
  readonly seed: number;
}

/** Convolutions of every stride and padding, also with rows at the end that no filter reaches. */
function convolutions(isDepthwise: boolean): fc.Arbitrary<Convolution> {
  const size = fc.integer({ min: 1, max: 7 });
  const filter = fc.integer({ min: 1, max: 4 });
  const end = fc.integer({ min: 0, max: 5 });
  return fc
    .record({
      xShape: fc.tuple(fc.integer({ min: 1, max: 3 }), size, size, fc.integer({ min: 1, max: 4 })),
      filter: fc.tuple(filter, filter),
      out: fc.integer({ min: 1, max: 4 }),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      pad: fc.oneof(
        fc.constantFrom('same' as const, 'valid' as const),
        fc.tuple(end, end, end, end).map(([top, bottom, left, right]) => [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ]),
      ),
      seed: fc.integer({ min: 0, max: 1_000 }),
    })
    .map(({ xShape, filter: [height, width], out, strides, pad, seed }) => {
      const filterShape = [height, width, xShape[3], out] as const;
      const { outShape } = tf.backend_util.computeConv2DInfo(
        [...xShape],
        [...filterShape],
        [...strides],
        1,
        pad as 'same',
        undefined,
        isDepthwise,
      );
      return { xShape, filterShape, dyShape: outShape, strides, pad, seed };
    })
    .filter(({ dyShape }) => dyShape.every((length) => length > 0));
}

const attrsOf = ({ strides, pad }: Convolution): object => ({
  strides: [...strides],
  pad,
  dataFormat: 'NHWC',
  dilations: [1, 1],
});

describe('training kernels composed for WASM', () => {
  it('Conv2DBackpropFilter equals that of the plain backend, whatever the stride and padding', () =>
    fc.assert(
      fc.asyncProperty(convolutions(false), async (conv) => {
        const operands = { x: whole(conv.xShape, conv.seed), dy: whole(conv.dyShape, conv.seed + 1) };
        await agree('Conv2DBackpropFilter', operands, { ...attrsOf(conv), filterShape: conv.filterShape });
      }),
      { numRuns: 60 },
    ));

  it('Conv2DBackpropInput equals that of the plain backend', () =>
    fc.assert(
      fc.asyncProperty(convolutions(false), async (conv) => {
        const operands = { dy: whole(conv.dyShape, conv.seed), filter: whole(conv.filterShape, conv.seed + 1) };
        await agree('Conv2DBackpropInput', operands, { ...attrsOf(conv), inputShape: conv.xShape });
      }),
      { numRuns: 60 },
    ));

  it('DepthwiseConv2dNativeBackpropFilter equals that of the plain backend, whatever the multiplier', () =>
    fc.assert(
      fc.asyncProperty(convolutions(true), async (conv) => {
        const operands = { x: whole(conv.xShape, conv.seed), dy: whole(conv.dyShape, conv.seed + 1) };
        await agree('DepthwiseConv2dNativeBackpropFilter', operands, {
          ...attrsOf(conv),
          filterShape: conv.filterShape,
        });
      }),
      { numRuns: 60 },
    ));

  it('DepthwiseConv2dNativeBackpropInput equals that of the plain backend', () =>
    fc.assert(
      fc.asyncProperty(convolutions(true), async (conv) => {
        const operands = { dy: whole(conv.dyShape, conv.seed), filter: whole(conv.filterShape, conv.seed + 1) };
        await agree('DepthwiseConv2dNativeBackpropInput', operands, { ...attrsOf(conv), inputShape: conv.xShape });
      }),
      { numRuns: 60 },
    ));

  it('MaxPoolGrad equals that of the plain backend, also at ties and where all is negative', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          inShape: fc.tuple(...[2, 7, 7, 3].map((max) => fc.integer({ min: 1, max }))) as fc.Arbitrary<
            [number, number, number, number]
          >,
          filterSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          pad: fc.constantFrom('same' as const, 'valid' as const),
          below: fc.constantFrom(0, 10),
          seed: fc.integer({ min: 0, max: 1_000 }),
        }),
        async ({ inShape, filterSize, strides, pad, below, seed }) => {
          const { outShape } = tf.backend_util.computePool2DInfo(inShape, filterSize, strides, 1, pad);
          fc.pre(outShape.every((length) => length > 0));
          const { values } = whole(inShape, seed);
          const input = { shape: inShape, values: values.map((value) => value - below) as Float32Array };
          const operands = { dy: whole(outShape, seed + 1), input, output: whole(outShape, seed + 2) };
          await agree('MaxPoolGrad', operands, { filterSize, strides, pad });
        },
      ),
      { numRuns: 60 },
    ));

  it('UnsortedSegmentSum adds rows of one number, and leaves out numbers beyond the range', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        fc.integer({ min: 0, max: 1_000 }),
        async (numbers, rowShape, seed) => {
          const segmentIds = { shape: [numbers.length], values: Int32Array.from(numbers) };
          await agree(
            'UnsortedSegmentSum',
            { x: whole([numbers.length, ...rowShape], seed), segmentIds },
            { numSegments: 6 },
          );
        },
      ),
      { numRuns: 40 },
    ));

  it.each([
    ['ij,jk->ik', [3, 4], [4, 5]],
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
    ['bqhd,bkhd->bhqk', [2, 3, 2, 4], [2, 5, 2, 4]],
    ['ij,ij->', [3, 4], [3, 4]],
    ['ij->ji', [3, 4]],
    ['ij->j', [3, 4]],
    ['i,j->ij', [3], [4]],
  ] as [string, ...number[][]][])('Einsum %s equals that of the plain backend', async (equation, ...shapes) => {
    await agree('Einsum', shapes.map(whole), { equation });
  });

  it.each([
    [[3, 5], [5, 7], false, false],
    [[5, 3], [5, 7], true, false],
    [[3, 5], [7, 5], false, true],
    [[5, 3], [7, 5], true, true],
    [[2, 4, 3], [2, 4, 6], true, false],
    [[2, 3, 4], [1, 6, 4], false, true],
    [[1, 1], [9, 1], true, true],
  ])(
    'BatchMatMul of %j and %j, transposed %s and %s, equals that of the plain backend',
    async (a, b, transposeA, transposeB) => {
      await agree('BatchMatMul', { a: whole(a, 1), b: whole(b, 2) }, { transposeA, transposeB });
    },
  );

  it('refuses channels first', async () => {
    const operands = { x: whole([1, 2, 5, 5], 1), dy: whole([1, 3, 4, 4], 2) };
    const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NCHW', filterShape: [2, 2, 2, 3] };
    await expect(runOn('wasm', 'Conv2DBackpropFilter', operands, attrs)).rejects.toThrow('channels last');
  });
});
