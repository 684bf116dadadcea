import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { kernelMixing, kernelWeights } from '../../../shared/runtime/engine/kernel-inputs.ts';
import { type Kernels, readKernels } from '../../../shared/runtime/engine/kernels.ts';

const ROW = 128;
const PAGE = 65_536;
/** Bytes around every input and output that no kernel may write to or depend on. */
const GAP = 512;

const module = new WebAssembly.Module(readKernels());

/** A stretch of memory that a kernel is given. */
interface Region {
  readonly bytes: number;
  /** What the kernel reads there; without, it is the kernel's to write. */
  readonly input?: Uint8Array;
}

/** Calls a kernel, given where the regions are. */
type Call = (kernels: Kernels, at: readonly number[], memory: SharedArrayBuffer) => unknown;

/** Runs a kernel in memory full of noise; returns all memory before and after, and where the regions are. */
function runIn(noise: number, regions: readonly Region[], call: Call) {
  const at: number[] = [];
  let end = GAP;
  for (const { bytes } of regions) {
    at.push(end);
    end += Math.ceil(bytes / 64) * 64 + GAP;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE), maximum: 65_536, shared: true });
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels;
  const all = new Uint8Array(memory.buffer);
  const rng = createRng(noise, 'test/noise');
  for (let i = 0; i < all.length; i += 1) all[i] = rng.below(256);
  for (const [i, { input, bytes }] of regions.entries()) all.set(input ?? new Uint8Array(bytes), at[i] as number);
  const before = Buffer.from(all);
  const returned = call(kernels, at, memory.buffer);
  return { before, after: Buffer.from(all), at, returned };
}

/** Holds a kernel to its regions: what it writes depends on its inputs alone, and it writes to its outputs alone. */
function staysWithin(regions: readonly Region[], call: Call): void {
  const [first, second] = [runIn(1, regions, call), runIn(2, regions, call)];
  expect(first.returned).toEqual(second.returned);
  for (const [i, { bytes, input }] of regions.entries()) {
    const start = first.at[i] as number;
    expect(first.after.compare(second.after, start, start + bytes, start, start + bytes)).toBe(0);
    if (input === undefined) first.before.set(first.after.subarray(start, start + bytes), start);
  }
  expect(first.before.compare(first.after)).toBe(0);
}

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  blocks: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(),
});

/** Blocks of `count` rows, of which those from `rows` on are zero. */
function blocksOf(rows: number, count: number, blocks: number, seed: number): Uint8Array {
  const rng = createRng(seed, 'test/blocks');
  const values = new Int16Array(blocks * count * 64);
  for (let at = 0; at < values.length; at += 1) {
    values[at] = Math.floor(at / 64) % count < rows ? rng.below(16383) - 8191 : 0;
  }
  return new Uint8Array(values.buffer);
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

test('inner products', () => {
  fc.assert(
    fc.property(sizes, ({ rows, blocks, seed }) => {
      const count = roundUp(rows, 3);
      const triples = count / 3;
      const input = blocksOf(rows, count, blocks, seed);
      const sums = { bytes: ((triples * (triples + 1)) / 2) * 144 };
      staysWithin([{ bytes: input.length, input }, sums], (kernels, [from = 0, to = 0]) =>
        kernels.gram(from, blocks, count * ROW, triples, to),
      );
      const wide = blocksOf(rows, count + 3, blocks, seed);
      staysWithin(
        [{ bytes: wide.length, input: wide }, { bytes: (triples + 1) * 144 }],
        (kernels, [from = 0, to = 0]) =>
          kernels.products(from + count * ROW, from, blocks, (count + 3) * ROW, triples, to),
      );
    }),
    { numRuns: 30 },
  );
});

test('weighted sums', () => {
  fc.assert(
    fc.property(sizes, ({ rows, blocks, seed }) => {
      const count = roundUp(rows, 8);
      const input = blocksOf(rows, count, blocks, seed);
      const share = Math.floor(2 ** 30 / rows);
      const narrow = kernelWeights(Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? share : -share)));
      const wide = kernelWeights(Array.from({ length: rows }, (_, i) => (i + 1) * (2 ** 30 + 1)));
      expect([narrow.wide, wide.wide]).toEqual([false, true]);
      const regions = (weights: Uint8Array): Region[] => [
        { bytes: input.length, input },
        { bytes: weights.length, input: weights },
        { bytes: blocks * 256 },
      ];
      staysWithin(regions(narrow.weights), (kernels, [from = 0, weights = 0, to = 0]) =>
        kernels.combine(from, blocks, count * ROW, count, weights, to),
      );
      // Rows apart from each other, their addresses in a table.
      const apart = Array.from({ length: count }, (_, row) => {
        const rng = createRng(seed + row, 'test/rows');
        const run = Int16Array.from({ length: blocks * 64 }, () => rng.below(16383) - 8191);
        return { bytes: run.byteLength, input: new Uint8Array(run.buffer) };
      });
      const table = { bytes: count * 4 };
      const sums = { bytes: blocks * 256 };
      const fixed = [{ bytes: narrow.weights.length, input: narrow.weights }, table, sums, sums];
      staysWithin([...fixed, ...apart], (kernels, [weights = 0, runs = 0, to = 0, room = 0, ...rows], memory) => {
        new Int32Array(memory, runs, count).set(rows);
        return kernels.combineRuns(runs, count, weights, blocks * 64, to, room);
      });
      staysWithin([table, sums, ...apart], (kernels, [runs = 0, to = 0, ...rows], memory) => {
        new Int32Array(memory, runs, count).set(rows);
        return kernels.addRuns(runs, count, blocks * 64, to);
      });
      staysWithin([sums, { bytes: blocks * 256, input: input.slice(0, blocks * 256) }], (kernels, [a = 0, b = 0]) =>
        kernels.weigh(a, b, 2 ** 30, -(2 ** 20), blocks * 64),
      );
      staysWithin(regions(wide.weights), (kernels, [from = 0, weights = 0, to = 0]) =>
        kernels.combineWide(from, blocks, count * ROW, rows, weights, to),
      );
    }),
    { numRuns: 30 },
  );
});

test('mixtures', () => {
  fc.assert(
    fc.property(sizes, ({ rows, seed }) => {
      const input = blocksOf(rows, rows + 1, 1, seed);
      const rng = createRng(seed, 'test/mixture');
      for (const most of [2, 2 ** 20]) {
        const entries = Array.from({ length: rows }, () => Array.from({ length: rows }, () => rng.below(most)));
        const mixing = kernelMixing({ entries, denominator: rows * most }, rows * ROW);
        const regions = [
          { bytes: input.length, input },
          { bytes: mixing.lists.length, input: mixing.lists },
          { bytes: rows * (mixing.wide ? 512 : 256) },
        ];
        staysWithin(regions, (kernels, [from = 0, lists = 0, to = 0]) =>
          mixing.wide ? kernels.mixWide(from, lists, rows, to) : kernels.mix(from, rows, lists, rows, to),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('rows into blocks, and an aggregate into rows', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 320 }), ({ seed }, coordinates) => {
      const blocks = Math.ceil(coordinates / 64);
      const input = blocksOf(1, 1, blocks, seed).subarray(0, coordinates * 2);
      const targets = Array.from({ length: blocks }, () => ({ bytes: ROW }));
      // Blocks stand apart by whatever lies between the regions.
      const apart = ROW + GAP;
      staysWithin([{ bytes: input.length, input }, ...targets], (kernels, [from = 0, to = 0]) =>
        kernels.scatter(from, coordinates, to, apart),
      );
      const aggregate = new Uint8Array(Int32Array.from({ length: blocks * 64 }, (_, i) => i * 5003 - 2 ** 20).buffer);
      const triples = Array.from({ length: blocks }, () => ({ bytes: 3 * ROW }));
      staysWithin([{ bytes: aggregate.length, input: aggregate }, ...triples], (kernels, [from = 0, to = 0]) =>
        kernels.split(from, blocks, to, 3 * ROW + GAP),
      );
    }),
    { numRuns: 30 },
  );
});

test('the division', () => {
  const values = { bytes: 64 * 4 };
  staysWithin([values], (kernels, [at = 0]) => kernels.divide(at, 64, 7));
  staysWithin([{ bytes: 64 * 8 }, values], (kernels, [from = 0, to = 0]) => kernels.divideWide(from, 64, 7, to));
});
