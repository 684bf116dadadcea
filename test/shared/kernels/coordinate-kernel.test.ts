import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  coordinateKernel,
  hasCoordinateKernel,
  MOST_NETWORK_ROWS,
} from '../../../shared/aggregation/kernels/networks/coordinate-kernel.ts';
import type { LaneKind } from '../../../shared/aggregation/kernels/networks/lanes.ts';
import type { CoordinateRule } from '../../../shared/aggregation/rule.ts';
import { meamed } from '../../../shared/aggregation/rules/meamed.ts';
import { median } from '../../../shared/aggregation/rules/median.ts';
import { phocas } from '../../../shared/aggregation/rules/phocas.ts';
import { signMajority } from '../../../shared/aggregation/rules/sign-majority.ts';
import { trimmedMean } from '../../../shared/aggregation/rules/trimmed-mean.ts';
import { createRng } from '../../../shared/rng.ts';

const RULES = [median, trimmedMean, meamed, phocas, signMajority];
const BLOCK = 64;
const PAGE = 65_536;

/** Arrays of each kind of lanes, and a magnitude that values of the kind may have. */
const KINDS = {
  int16: { View: Int16Array, most: () => 8191 },
  int32: { View: Int32Array, most: (n: number) => Math.floor((2 ** 31 - 1) / (2 * n)) },
  float64: { View: Float64Array, most: (n: number) => Math.floor(2 ** 52 / n) },
} as const;

const laneKind = fc.constantFrom<LaneKind>('int16', 'int32', 'float64');

/** Numbers of updates and of faulty ones among them. */
const counts = fc
  .integer({ min: 1, max: 128 })
  .chain((n) => fc.record({ n: fc.constant(n), f: fc.integer({ min: 0, max: Math.ceil(n / 2) - 1 }) }));

/** How values are spread: over the whole range, at its ends, or with very many ties. */
const spread = fc.constantFrom('wide', 'ends', 'ties');

test('every kernel gives what the reference does, bit for bit, and touches nothing beyond its blocks', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RULES),
      counts,
      laneKind,
      spread,
      fc.integer({ min: 1, max: 3 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (rule, { n, f }, kind, how, blocks, stream) => {
        const draw = (): number => stream.next().value as number;
        check(rule, n, f, kind, blocks, valuesOf(how, KINDS[kind].most(n), draw));
      },
    ),
    { numRuns: 60 },
  );
});

test('every number of updates up to the largest tested has all kernels', () => {
  let seed = 1;
  const draw = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 2 ** 31;
  };
  for (let n = 1; n <= 128; n += 1) {
    const rule = RULES[n % RULES.length] as CoordinateRule;
    check(rule, n, Math.ceil(n / 2) - 1, 'int16', 1, valuesOf('wide', 8191, draw));
    check(rule, n, 0, 'int16', 1, valuesOf('ties', 8191, draw));
  }
});

test('the mean around the median may leave out more than half, as Bulyan does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.double({ min: 0.5, max: 1, maxExcluded: true, noNaN: true }),
      laneKind,
      spread,
      fc.nat(),
      (n, part, kind, how, seed) => {
        const rng = createRng(seed, 'test/bulyan');
        check(
          meamed,
          n,
          Math.floor(n * part),
          kind,
          1,
          valuesOf(how, Math.floor(KINDS[kind].most(n)), () => rng.below(2 ** 30) / 2 ** 30),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('there are kernels up to a number of updates, and for known rules only', () => {
  expect(hasCoordinateKernel('Median', MOST_NETWORK_ROWS, 3)).toBe(true);
  expect(hasCoordinateKernel('Median', MOST_NETWORK_ROWS + 1, 3)).toBe(false);
  expect(hasCoordinateKernel('Average', 3, 0)).toBe(false);
  check(
    trimmedMean,
    MOST_NETWORK_ROWS,
    100,
    'int16',
    1,
    valuesOf('ends', 8191, () => 0.3),
  );
});

function valuesOf(how: string, most: number, draw: () => number): () => number {
  if (how === 'ends') return () => (draw() < 0.5 ? -most : most);
  if (how === 'ties') return () => Math.floor(draw() * 5) - 2;
  return () => Math.floor(draw() * (2 * most + 1)) - most;
}

function check(rule: CoordinateRule, n: number, f: number, kind: LaneKind, blocks: number, draw: () => number): void {
  const { View } = KINDS[kind];
  const bytes = View.BYTES_PER_ELEMENT;
  const blockBytes = n * BLOCK * bytes + 64;
  const reducedBytes = BLOCK * (kind === 'float64' ? 8 : 4);
  const rows = 1024;
  const values = rows + blocks * blockBytes + 1024;
  const scratch = values + blocks * reducedBytes + 1024;
  const end = scratch + n * 16;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + 1024) / PAGE), maximum: 65_536, shared: true });
  const all = new Uint8Array(memory.buffer);
  // The constructors of three kinds agree on nothing but an ordinary buffer.
  const buffer = memory.buffer as ArrayBufferLike as ArrayBuffer;
  all.fill(0xa5);
  for (let block = 0; block < blocks; block += 1) {
    const view = new View(buffer, rows + block * blockBytes, n * BLOCK);
    for (let at = 0; at < view.length; at += 1) view[at] = draw();
  }
  const before = new Uint8Array(new ArrayBuffer(all.length));
  before.set(all);

  const module = new WebAssembly.Module(coordinateKernel(rule.name, n, f, kind));
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports as { run: (...args: number[]) => void };
  run(rows, blocks, blockBytes, values, scratch);

  const Reduced = kind === 'float64' ? Float64Array : Int32Array;
  for (let block = 0; block < blocks; block += 1) {
    const input = new View(before.buffer, rows + block * blockBytes, n * BLOCK);
    const reduced = new Reduced(buffer, values + block * reducedBytes, BLOCK);
    const expected = Array.from({ length: BLOCK }, (_, at) =>
      rule.reduce(
        Float64Array.from({ length: n }, (_, row) => input[row * BLOCK + at] as number),
        n,
        f,
      ),
    );
    expect(Array.from(reduced, (value) => value + 0)).toEqual(expected.map((value) => value + 0));
  }
  // Nothing but the results and the scratch was written.
  before.set(all.subarray(values, values + blocks * reducedBytes), values);
  before.set(all.subarray(scratch, end), scratch);
  expect(Buffer.compare(before, Buffer.from(all))).toBe(0);
}
