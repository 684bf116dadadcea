import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { encodeUpdate, largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { createRng } from '../../../shared/rng.ts';
import { splitTensors } from '../../../simulations/engine/models-of-run.ts';
import { streamOf, streamState } from '../../../simulations/engine/streams.ts';
import { type Bench, createWorkshop, type LearnersMemory } from '../../../simulations/engine/workshop.ts';
import { createRoom } from '../../../simulations/models/network/room.ts';
import { createVectorPlaces } from '../../../simulations/models/network/vector-places.ts';

const { fround } = Math;
const layoutFor = (sizes: readonly number[], preScaleBits = 0) =>
  layoutOf(sizes.map((size, index) => ({ name: `t${index}`, shape: [size], fractionBits: 24, preScaleBits })));

/** A learner's memory without the learner. */
function memoryFor(parameters: number): LearnersMemory {
  const room = createRoom();
  const places = createVectorPlaces(room, parameters);
  const vectors = (count: number): Float32Array[] => Array.from({ length: count }, () => places.create());
  return { memory: room.memory, take: (bytes) => room.take(bytes), vectors };
}

/** Values that rounding is hard on: around whole numbers and the limit, tiny, no numbers. */
const hard = fc.oneof(
  fc.float(),
  fc.constantFrom(0, -0, 0.5, -0.5, 1, -1, 8191, -8191, 8191.5, -8191.5, 8192, -8192, Number.NaN, Infinity, -Infinity),
  fc.integer({ min: -300, max: 10 }).map((power) => fround(-(2 ** power))),
  fc.integer({ min: -8200, max: 8200 }).map((whole) => fround(whole + 2 ** -11)),
);

describe('createWorkshop', () => {
  it('codes updates with the bits of encodeUpdate, whatever their number and the sizes of tensors', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 0, max: 16 }),
        fc.nat(),
        fc.infiniteStream(hard),
        (sizes, count, bits, preScale, seed, values) => {
          const layout = layoutFor(sizes, preScale);
          const workshop = createWorkshop(layout, memoryFor(layout.parameters), count);
          const codings = Array.from({ length: count }, (_, client) => {
            const own = (workshop.benches[client] as Bench).values;
            for (let at = 0; at < own.length; at++) own[at] = values.next().value as number;
            // Some lie elsewhere, as forged ones do.
            const source = client % 2 === 0 ? own : own.slice();
            const into = new Int16Array(layout.dimension);
            return { values: source, stream: streamState(seed, 'rounding', client), into };
          });
          const coded = workshop.encode(codings, bits);
          for (const [client, { values: source, into }] of codings.entries()) {
            const tensors = splitTensors(layout, source);
            const { vector, saturated } = encodeUpdate(layout, tensors, bits, streamOf(seed, 'rounding', client));
            expect(into).toEqual(vector);
            expect(coded[client]).toEqual({ largest: largestMagnitude(vector), saturated });
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('does its arithmetic in float32, in the order it states', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), (size, seed) => {
        const workshop = createWorkshop(layoutFor([size]), memoryFor(size), 4);
        const rng = createRng(seed);
        for (const { values } of workshop.benches) values.set(values.map(() => rng.nextFloat() * 4 - 2));
        const [a, b, c, d] = workshop.benches as readonly [Bench, Bench, Bench, Bench];
        const [beta, weight, decay, rate, mu] = [0.9, 0.1, 1e-4, 0.05, 0.01].map(fround) as [number, ...number[]];
        const before = [a, b, c].map(({ values }) => values.slice()) as [Float32Array, Float32Array, Float32Array];
        const each = (formula: (x: number, y: number, z: number) => number): Float32Array =>
          before[0].map((x, at) => formula(x, before[1][at] as number, before[2][at] as number));
        const w = weight as number;
        const restore = (): void => {
          for (const [at, { values }] of [a, b, c].entries()) values.set(before[at] as Float32Array);
        };

        workshop.accumulate(a, b, c, beta, -w, decay as number);
        const pulled = (y: number, z: number): number => fround(y + fround((decay as number) * z));
        expect(a.values).toEqual(each((x, y, z) => fround(fround(beta * x) + fround(-w * pulled(y, z)))));
        restore();
        workshop.accumulate(a, b, null, beta, w, 0);
        expect(a.values).toEqual(each((x, y) => fround(fround(beta * x) + fround(w * y))));
        restore();
        workshop.descend(a, d, b, c, { rate: rate as number, decay: decay as number, proximal: mu as number });
        const slope = (x: number, y: number, z: number): number =>
          fround(fround(y + fround((decay as number) * x)) + fround((mu as number) * fround(x - z)));
        expect(d.values).toEqual(each((x, y, z) => fround(x - fround((rate as number) * slope(x, y, z)))));
        workshop.subtract(a, c, a);
        expect(a.values).toEqual(each((x, _, z) => fround(x - z)));
      }),
      { numRuns: 50 },
    );
  });

  it('uses again what the run before left', () => {
    const memory = memoryFor(100);
    const first = createWorkshop(layoutFor([100]), memory, 3);
    const left = first.benches.map(({ at, values }) => {
      values.fill(1);
      return at;
    });
    first.close();
    const second = createWorkshop(layoutFor([100]), memory, 3);
    expect(second.benches.map(({ at }) => at).sort()).toEqual(left.sort());
    expect(second.benches.every(({ values }) => values.every((value) => value === 0))).toBe(true);
  });
});
