import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRng } from '../../../../shared/rng.ts';
import {
  instantiate,
  type LearnerKernels,
  learnerKernels,
} from '../../../../simulations/models/kernels/learner-kernels.ts';
import * as reference from './reference.ts';

const PAGE = 65_536;
/** Values around every input and output, full of noise that no kernel may write to or depend on. */
const GAP = 256;
const memory = new WebAssembly.Memory({ initial: 128, maximum: 65_536, shared: true });
const kernels = instantiate(learnerKernels(), memory);
const all = new Float32Array(memory.buffer, 0, (64 * PAGE) / 4);
const size = fc.integer({ min: 1, max: 21 });

function noise(length: number, seed: number): Float32Array {
  const rng = createRng(seed, 'test/kernels');
  // Magnitudes from 2^-20 to 2^20, so that the order of a sum shows in its bits.
  return Float32Array.from({ length }, () => (rng.nextFloat() - 0.5) * 2 ** (rng.below(40) - 20));
}

/** Regions in a memory of noise: those given are filled. Tells where each begins, and reads one. */
function regions(seed: number, ...wanted: readonly (Float32Array | number)[]) {
  let end = GAP;
  const starts = wanted.map((region) => {
    const start = end;
    end += (typeof region === 'number' ? region : region.length) + GAP;
    return start;
  });
  const before = noise(end, seed ^ 0x5bd1e995);
  before.fill(Number.NaN, 0, GAP);
  for (const [at, region] of wanted.entries()) if (typeof region !== 'number') before.set(region, starts[at]);
  all.set(before);
  const lengths = wanted.map((region) => (typeof region === 'number' ? region : region.length));
  return {
    at: starts.map((start) => start * 4),
    read: (index: number) => all.slice(starts[index], (starts[index] as number) + (lengths[index] as number)),
    /** Whether everything but these regions is as it was. */
    isElsewhereUntouched: (...written: readonly number[]) => {
      for (const index of written) {
        const start = starts[index] as number;
        before.set(all.subarray(start, start + (lengths[index] as number)), start);
      }
      return Buffer.from(before.buffer).equals(Buffer.from(all.slice(0, end).buffer));
    },
  };
}

function sameBits(found: Float32Array, expected: Float32Array): void {
  expect(Buffer.from(found.slice().buffer).equals(Buffer.from(expected.slice().buffer))).toBe(true);
}

const packedLeft = (rows: number, steps: number): number => Math.ceil(rows / 4) * 4 * steps;
const packedRight = (steps: number, columns: number): number => Math.ceil(columns / 8) * 8 * steps;

test('a product has the bits of the plain loop, whichever way its factors are packed', () => {
  fc.assert(
    fc.property(
      size,
      fc.integer({ min: 1, max: 70 }),
      size,
      fc.nat(),
      fc.boolean(),
      (rows, steps, columns, seed, wide) => {
        // With a wide B the panels do not stay in the nearest cache, and the other order of loops is taken.
        const many = wide ? columns + 300 : columns;
        const a = noise(rows * steps, seed);
        const b = noise(steps * many, seed + 1);
        const bias = noise(many + 8, seed + 2);
        const expected = reference.multiply(a, b, (_, j) => bias[j] as number, [rows, steps, many]);
        const room = regions(seed, a, b, bias, packedLeft(rows, steps), packedRight(steps, many), rows * many);
        const [atA = 0, atB = 0, atBias = 0, left = 0, right = 0, c = 0] = room.at;
        kernels.packRows(atA, steps * 4, rows, steps, 4, left);
        kernels.packColumns(atB, many * 4, steps, many, right);
        kernels.multiply(left, steps * 16, 16, rows, steps, right, many, atBias, 0, c, many * 4);
        sameBits(room.read(5), expected);
        expect(room.isElsewhereUntouched(3, 4, 5)).toBe(true);
        // B from its transpose.
        const turned = regions(
          seed,
          a,
          reference.transposed(b, steps, many),
          bias,
          packedLeft(rows, steps),
          packedRight(steps, many),
          rows * many,
        );
        kernels.packRows(turned.at[0] as number, steps * 4, rows, steps, 4, left);
        kernels.packRows(turned.at[1] as number, steps * 4, many, steps, 8, right);
        kernels.multiply(left, steps * 16, 16, rows, steps, right, many, atBias, 0, c, many * 4);
        sameBits(turned.read(5), expected);
        expect(turned.isElsewhereUntouched(3, 4, 5)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('a product of a transpose is added to what is there, step by step', () => {
  fc.assert(
    fc.property(size, size, size, fc.nat(), (rows, steps, columns, seed) => {
      // As for gradients: A^T B where A is [steps, rows], in two calls.
      const a = noise(steps * rows, seed);
      const b = noise(steps * columns, seed + 1);
      const expected = reference.multiply(reference.transposed(a, steps, rows), b, () => 0, [rows, steps, columns]);
      const room = regions(seed, a, b, packedRight(steps, columns), rows * columns, 4 * columns);
      const [atA = 0, atB = 0, right = 0, c = 0] = room.at;
      const half = Math.floor(steps / 2);
      let start = 0;
      for (const [from, count] of [
        [0, half],
        [half, steps - half],
      ] as const) {
        kernels.packColumns(atB + from * columns * 4, columns * 4, count, columns, right);
        kernels.multiply(
          atA + from * rows * 4,
          16,
          rows * 4,
          rows,
          count,
          right,
          columns,
          start,
          columns * 4,
          c,
          columns * 4,
        );
        start = c;
      }
      sameBits(room.read(3), expected);
      expect(room.isElsewhereUntouched(2, 3)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('rows are added up in order', () => {
  fc.assert(
    fc.property(size, size, fc.nat(), fc.boolean(), (rows, columns, seed, isFresh) => {
      const a = noise(rows * columns, seed);
      const start = isFresh ? new Float32Array(columns) : noise(columns, seed + 1);
      const room = regions(seed, a, start);
      const [from = 0, to = 0] = room.at;
      kernels.sumRows(from, columns * 4, rows, columns, isFresh ? 0 : to, to);
      sameBits(room.read(1), reference.sumRows(a, columns, start));
      expect(room.isElsewhereUntouched(1)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('values are rectified and scaled one by one, and what is no number stays none', () => {
  const values = Float32Array.of(1, -1, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42);
  const slopes = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const room = regions(1, values, slopes, slopes);
  const [at = 0, slopesAt = 0, scaled = 0] = room.at;
  kernels.rectify(at, 8);
  const rectified = [1, 0, 0, 0, Number.NaN, Number.POSITIVE_INFINITY, 0, Math.fround(1e-42)];
  expect([...room.read(0)]).toEqual(rectified);
  kernels.rectifySlopes(slopesAt, at, 8);
  expect([...room.read(1)]).toEqual([1, 0, 0, 0, 0, 6, 0, 8]);
  kernels.scaleBy(scaled, scaled, 8);
  expect([...room.read(2)]).toEqual([1, 4, 9, 16, 25, 36, 49, 64]);
  expect(room.isElsewhereUntouched(0, 1, 2)).toBe(true);
});

const images = fc.record({
  shape: fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), fc.integer({ min: 1, max: 6 })),
  window: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
});

test('windows are laid out and added back', () => {
  fc.assert(
    fc.property(images, ({ shape, window, seed }) => {
      const [height, width, channels] = shape;
      const image = noise(height * width * channels, seed);
      const expected = reference.windows(image, shape, window);
      const room = regions(seed, image, expected.length);
      const [from = 0, to = 0] = room.at;
      const positions = [height - window + 1, width - window + 1] as const;
      kernels.windows(from, width, channels, ...positions, window, to);
      sameBits(room.read(1), expected);
      expect(room.isElsewhereUntouched(1)).toBe(true);
      const rows = noise(expected.length, seed + 1);
      const back = regions(seed, rows, image);
      kernels.addWindows(back.at[0] as number, width, channels, ...positions, window, back.at[1] as number);
      sameBits(back.read(1), reference.addWindows(rows, image, shape, window));
      expect(back.isElsewhereUntouched(1)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('pools take the largest and send slopes back to it', () => {
  fc.assert(
    fc.property(images, fc.boolean(), ({ shape, seed }, hasTies) => {
      const [height, width, channels] = shape;
      const drawn = noise(height * width * channels, seed);
      const image = hasTies ? drawn.map((value) => Math.sign(value)) : drawn;
      const { most, places } = reference.poolMost(image, shape);
      const which = Math.ceil(most.length / 4);
      const slopes = noise(most.length, seed + 1);
      const room = regions(seed, image, most.length, which, slopes, image.length);
      const [from = 0, to = 0, kept = 0, slopesAt = 0, back = 0] = room.at;
      kernels.poolMost(from, height, width, channels, to, kept);
      sameBits(room.read(1), most);
      kernels.poolSlopes(slopesAt, kept, height, width, channels, back);
      const expected = new Float32Array(image.length);
      for (const [at, place] of places.entries()) expected[place] = slopes[at] as number;
      sameBits(room.read(4), expected);
      expect(room.isElsewhereUntouched(1, 2, 4)).toBe(true);
    }),
    { numRuns: 60 },
  );
  const room = regions(1, Float32Array.of(1, 2, Number.NaN, 3), 1, 1);
  const [from = 0, to = 0, kept = 0] = room.at;
  kernels.poolMost(from, 2, 2, 1, to, kept);
  expect(room.read(1)[0]).toBeNaN();
});

test('the loop that measures a machine depends on every one of its steps', () => {
  const { turn }: LearnerKernels = kernels;
  expect(turn(10)).not.toBe(turn(11));
});
