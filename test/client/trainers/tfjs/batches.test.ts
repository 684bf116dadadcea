import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBatches, countExamples, drawBatches } from '../../../../client/trainers/tfjs/batches.ts';
import type { ExampleBatch } from '../../../../client/trainers/training-data.ts';
import { createRng } from '../../../../shared/rng.ts';
import { makeToyData } from './toy.ts';

/** Data whose labels are the positions of its examples. */
const numbered = (samples: number) => ({
  ...makeToyData(),
  samples,
  examples: (positions: ArrayLike<number>): ExampleBatch => ({
    inputs: new Float32Array(),
    labels: Int32Array.from(positions),
  }),
});

/** The positions of each epoch's examples, in order. */
function ordersOf(samples: number, batchSize: number, epochs: number, seed: number): number[][] {
  const batches = [...drawBatches(numbered(samples), { batchSize, length: { epochs } }, createRng(seed))];
  const all = batches.flatMap(({ labels }) => [...labels]);
  return Array.from({ length: epochs }, (_, epoch) => all.slice(epoch * samples, (epoch + 1) * samples));
}

describe('drawBatches by epochs', () => {
  it('sees every example once an epoch, in batches of the asked size but for the last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        (samples, batchSize, epochs, seed) => {
          const settings = { batchSize, length: { epochs } };
          const batches = [...drawBatches(numbered(samples), settings, createRng(seed))];
          expect(batches).toHaveLength(countBatches(settings, samples));
          expect(batches.reduce((sum, { labels }) => sum + labels.length, 0)).toBe(countExamples(settings, samples));
          const perEpoch = Math.ceil(samples / batchSize);
          batches.forEach(({ labels }, index) => {
            const isLast = index % perEpoch === perEpoch - 1;
            expect(labels.length).toBe(isLast ? samples - batchSize * (perEpoch - 1) : batchSize);
          });
          for (const order of ordersOf(samples, batchSize, epochs, seed)) {
            expect(order.sort((a, b) => a - b)).toEqual(Array.from({ length: samples }, (_, at) => at));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('goes in another order each epoch and with each seed, and in the same one with the same', () => {
    const [first, second] = ordersOf(100, 7, 2, 5);
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(ordersOf(100, 7, 2, 5)).toEqual([first, second]);
    expect(ordersOf(100, 13, 2, 5)).toEqual([first, second]);
    expect(ordersOf(100, 7, 2, 6)).not.toEqual([first, second]);
  });

  it('has each order as often as any other', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = String(ordersOf(3, 3, 1, seed)[0]);
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // Each of six orders is expected a thousand times, with a deviation below 29.
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(6 * 29);
  });
});

it('draws whole batches from all examples by steps', () => {
  const settings = { batchSize: 5, length: { steps: 3 } };
  const batches = [...drawBatches(makeToyData(), settings, createRng(1))];
  expect(batches.map(({ labels }) => labels.length)).toEqual([5, 5, 5]);
  expect([countBatches(settings, 10_000), countExamples(settings, 10_000)]).toEqual([3, 15]);
  expect(batches[0]).not.toEqual(batches[1]);
});
