import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PART_BYTES, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { createRng } from '../../../shared/rng.ts';
import type { WireFormat } from '../../../shared/wire/format.ts';
import { wireFormat } from '../../../shared/wire/wire-format.ts';
import { type WireTerms, wireSchema } from '../../../shared/wire/wire-terms.ts';

const FORMATS: readonly WireTerms[] = [
  { format: 'int8' },
  { format: 'int4' },
  { format: 'topk', keepPerMille: 20 },
  { format: 'topk', keepPerMille: 250 },
];
const nameOf = (terms: WireTerms): string => JSON.stringify(terms);
const formatOf = (terms: WireTerms): WireFormat => wireFormat(terms) as WireFormat;

/** Whole blocks of what an update may hold, of any size of coordinate. */
const updates = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 13 }))
  .map(([blocks, seed, bits]) => {
    const rng = createRng(seed);
    return Int16Array.from({ length: 64 * blocks }, () =>
      rng.below(3) === 0 ? 0 : Math.max(-8191, Math.min(8191, rng.below(2 ** (bits + 1)) - 2 ** bits)),
    );
  });

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
/** What a format makes of bytes: coordinates, or that they are malformed; anything else is a fault. */
function decoded(format: WireFormat, coded: Uint8Array, coordinates: number): Int16Array | 'malformed' {
  try {
    return format.decodePart(coded, coordinates);
  } catch (error) {
    expect(error).toMatchObject({ code: 'wire/malformed' });
    return 'malformed';
  }
}

describe.each(FORMATS.map((terms) => [nameOf(terms), terms] as const))('wire format %s', (_name, terms) => {
  const format = formatOf(terms);
  const restrict = (vector: Int16Array, seed = 1): Int16Array => format.restrict(vector, createRng(seed)).vector;

  it('carries every update that it was restricted to, without loss', () => {
    fc.assert(
      fc.property(updates, (vector) => {
        const sent = restrict(vector);
        expect(format.decodePart(format.encodePart(sent), sent.length)).toEqual(sent);
      }),
    );
  });

  it('leaves alone what it can carry, and draws nothing for it', () => {
    fc.assert(
      fc.property(updates, (vector) => {
        const sent = restrict(vector);
        const nothingToDraw = {
          nextUint32: () => expect.unreachable(),
          nextFloat: () => expect.unreachable(),
          below: () => expect.unreachable(),
        };
        expect(format.restrict(sent, nothingToDraw)).toEqual({ vector: sent, saturated: 0 });
      }),
    );
  });

  it('keeps coordinates within range, and zeros zero: padding stays clean', () => {
    fc.assert(
      fc.property(updates, (vector) => {
        const isFine = (value: number, at: number) => Math.abs(value) <= 8191 && (vector[at] !== 0 || value === 0);
        expect(restrict(vector).every(isFine)).toBe(true);
      }),
    );
  });

  it('gives each part one coding only: whatever decodes is what it encodes to', () => {
    fc.assert(
      fc.property(
        updates,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (vector, changes) => {
          const coded = format.encodePart(restrict(vector));
          for (const [at, byte] of changes) coded[at % coded.length] = byte;
          const part = decoded(format, coded, vector.length);
          if (part !== 'malformed') expect(format.encodePart(part)).toEqual(coded);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads arbitrary bytes as a part or refuses them, and never more than the part has room for', () => {
    const tagged = fc.tuple(fc.constantFrom(1, 4, 8, 0), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(tagged, fc.integer({ min: 1, max: 4 }), ([tag, rest], blocks) => {
        const part = decoded(format, Uint8Array.of(tag, ...rest), 64 * blocks);
        if (part !== 'malformed') expect(part).toHaveLength(64 * blocks);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses a part that is cut short or goes on', () => {
    const coded = format.encodePart(restrict(Int16Array.from({ length: 128 }, (_, at) => (at * 37) % 900)));
    for (let length = 0; length < coded.length; length++) {
      expect(() => format.decodePart(coded.subarray(0, length), 128)).toThrow(code('wire/malformed'));
    }
    expect(() => format.decodePart(Uint8Array.of(...coded, 0), 128)).toThrow(code('wire/malformed'));
  });

  it('refuses to encode what it cannot carry rather than altering it', () => {
    const vector = Int16Array.from({ length: 64 }, (_, at) => 8191 - at);
    expect(() => format.encodePart(vector)).toThrow(code('wire/not-representable'));
  });

  it('is shorter than two bytes a coordinate, for every part', () => {
    const rng = createRng(3);
    const vector = Int16Array.from({ length: PART_BYTES / 2 }, () => rng.below(16383) - 8191);
    expect(format.encodePart(restrict(vector)).length).toBeLessThan(PART_BYTES);
  });

  it('says the same with the same seed', () => {
    const vector = Int16Array.from({ length: 640 }, (_, at) => ((at * 7919) % 16383) - 8191);
    expect(restrict(vector, 5)).toEqual(restrict(vector, 5));
  });
});

describe('block formats', () => {
  it.each([
    ['int8', 127, 6],
    ['int4', 7, 10],
  ] as const)(
    '%s rounds to multiples of the smallest step that reaches the largest coordinate',
    (name, most, exponents) => {
      const format = formatOf({ format: name });
      fc.assert(
        fc.property(updates, fc.nat(), (vector, seed) => {
          const { vector: sent } = format.restrict(vector, createRng(seed));
          for (let start = 0; start < vector.length; start += 64) {
            const block = vector.subarray(start, start + 64);
            const largest = Math.max(...block.map(Math.abs));
            const exponent = Array.from({ length: exponents }, (_, at) => at).find((at) => largest <= most * 2 ** at);
            const step = 2 ** (exponent ?? exponents);
            block.forEach((value, at) => {
              const got = sent[start + at] as number;
              const [below, above] = [Math.floor(value / step) * step, Math.ceil(value / step) * step];
              const cut = (bound: number): number => Math.max(-most * step, Math.min(most * step, bound));
              if (got !== cut(below) && got !== cut(above)) expect.fail(`${value} became ${got} in steps of ${step}`);
            });
          }
        }),
      );
    },
  );

  it.each(['int8', 'int4'] as const)('%s rounds without bias', (name) => {
    const format = formatOf({ format: name });
    // One coordinate sets the step of its block, the others lie between its multiples.
    const vector = Int16Array.from({ length: 64 }, (_, at) => (at === 0 ? 7000 : at * 3 - 96));
    const sums = new Float64Array(64);
    const repeats = 20_000;
    const rng = createRng(11);
    for (let repeat = 0; repeat < repeats; repeat++) {
      format.restrict(vector, rng).vector.forEach((value, at) => {
        sums[at] = (sums[at] as number) + value;
      });
    }
    const step = name === 'int8' ? 64 : 1024;
    // A rounding to multiples of a step has at most half of it as its deviation; six deviations of the mean.
    const bound = (6 * step) / 2 / Math.sqrt(repeats);
    const biases = sums.map((sum, at) => Math.abs(sum / repeats - (vector[at] as number)));
    expect(Math.max(...biases)).toBeLessThan(bound);
  });

  it.each([
    ['int8', 64, 64 * 127],
    ['int4', 1024, 1024 * 7],
  ] as const)('%s rounds up in exactly the share of draws that keeps the expectation', (name, step, largest) => {
    const format = formatOf({ format: name });
    for (const value of [1, 5, step / 2, step - 1, -1, -step / 2, -step - 3]) {
      const block = new Int16Array(64);
      block.set([largest, value]);
      let sum = 0;
      for (let draw = 0; draw < step; draw++) {
        const rng = {
          nextUint32: () => draw,
          nextFloat: () => expect.unreachable(),
          below: () => expect.unreachable(),
        };
        sum += format.restrict(block, rng).vector[1] as number;
      }
      expect(sum / step).toBe(value);
    }
  });

  it.each([
    ['int8', 8191, 8128],
    ['int4', 8191, 7168],
    ['int4', -8191, -7168],
  ] as const)('%s cuts %i to %i and counts it', (name, value, kept) => {
    const vector = new Int16Array(64);
    vector[3] = value;
    const { vector: sent, saturated } = formatOf({ format: name }).restrict(vector, createRng(1));
    // A coordinate beyond the largest multiple is cut, whichever way it was rounded.
    expect(sent[3]).toBe(kept);
    expect(saturated).toBeLessThanOrEqual(1);
  });

  it('has the lengths that the format states', () => {
    const zeros = new Int16Array(PART_BYTES / 2);
    expect(formatOf({ format: 'int8' }).encodePart(zeros)).toHaveLength(1 + 8192 * 65);
    expect(formatOf({ format: 'int4' }).encodePart(zeros)).toHaveLength(1 + 8192 * 33);
  });

  it('writes the bytes that the format states', () => {
    const block = new Int16Array(64);
    block.set([14, -14, 2, -2]);
    const expected = new Uint8Array(34);
    expected.set([4, 1, 0x97, 0xf1]);
    expect(formatOf({ format: 'int4' }).encodePart(block)).toEqual(expected);
  });

  it.each<[string, number[]]>([
    ['another format', [8]],
    ['a step beyond the largest', [4, 11]],
    ['a step larger than its coordinates need', [4, 3, 0x01]],
    ['a step for nothing but zeros', [4, 1]],
    ['a multiple that 4 bits hold and the format does not', [4, 1, 0x78]],
  ])('refuses %s', (_name, start) => {
    const coded = new Uint8Array(34);
    coded.set(start);
    expect(() => formatOf({ format: 'int4' }).decodePart(coded, 64)).toThrow(code('wire/malformed'));
  });
});

describe('the sparse format', () => {
  const format = formatOf({ format: 'topk', keepPerMille: 20 });

  it('keeps as many as it may of the largest, the first of equal ones, part by part', () => {
    const perPart = Math.floor((PART_BYTES / 2) * 0.02);
    const rng = createRng(17);
    const length = PART_BYTES / 2 + 6400;
    const vector = Int16Array.from({ length }, () => rng.below(401) - 200);
    const { vector: sent } = format.restrict(vector, rng);
    for (const [start, end, limit] of [
      [0, PART_BYTES / 2, perPart],
      [PART_BYTES / 2, length, 128],
    ] as const) {
      const byMagnitude = Array.from({ length: end - start }, (_, at) => start + at)
        .sort((a, b) => Math.abs(vector[b] as number) - Math.abs(vector[a] as number) || a - b)
        .slice(0, limit);
      const expected = new Int16Array(end - start);
      for (const at of byMagnitude) expected[at - start] = vector[at] as number;
      expect(Buffer.compare(vectorBytes(sent.slice(start, end)), vectorBytes(expected))).toBe(0);
    }
  });

  it('writes the bytes that the format states', () => {
    const part = new Int16Array(64 * 16);
    part[0] = -1;
    part[200] = 300;
    expect(format.encodePart(part)).toEqual(Uint8Array.of(1, 2, 0, 1, 0xc7, 1, 0xd8, 4));
  });

  it.each<[string, number[]]>([
    ['no bytes', []],
    ['another format', [4, 0]],
    ['more coordinates than the job agreed on', [1, 21, ...Array.from({ length: 21 }, () => [0, 2]).flat()]],
    ['a zero among its coordinates', [1, 1, 0, 0]],
    ['a coordinate beyond the end', [1, 1, 0x80, 8, 2]],
    ['a coordinate beyond the end, after another', [1, 2, 0xff, 7, 2, 0, 2]],
    ['a value beyond the range', [1, 1, 0, 0x80, 0x80, 1]],
    ['a number in more bytes than it needs', [1, 0x81, 0]],
    ['a number of four bytes', [1, 0x81, 0x80, 0x80, 0]],
    ['fewer coordinates than it announces', [1, 2, 0, 2]],
    ['bytes left over', [1, 1, 0, 2, 0]],
  ])('refuses %s', (_name, bytes) => {
    expect(() => format.decodePart(Uint8Array.from(bytes), 1024)).toThrow(code('wire/malformed'));
  });

  it('takes a part without any coordinate', () => {
    expect(format.decodePart(Uint8Array.of(1, 0), 128)).toEqual(new Int16Array(128));
  });
});

describe("a manifest's wire", () => {
  it.each<[unknown]>([
    [{ format: 'int2' }],
    [{ format: 'topk' }],
    [{ format: 'topk', keepPerMille: 0 }],
    [{ format: 'topk', keepPerMille: 251 }],
    [{ format: 'topk', keepPerMille: 1.5 }],
    [{ format: 'int8', keepPerMille: 10 }],
    [{ format: 'int8', errorFeedback: false }],
    [{ format: 'int8', more: 1 }],
    ['int8'],
  ])('is not %j', (value) => {
    expect(wireSchema.safeParse(value).success).toBe(false);
  });

  it('leaves parts as they are where it names int16 or nothing', () => {
    expect(wireFormat(undefined)).toBeUndefined();
    expect(wireFormat({ format: 'int16', errorFeedback: true })).toBeUndefined();
  });
});
