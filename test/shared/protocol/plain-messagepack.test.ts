import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { isPlainMessagePack } from '../../../shared/protocol/plain-messagepack.ts';

const packr = new Packr({ useRecords: false, moreTypes: false });

const nested = (levels: number): Uint8Array => Uint8Array.from([...new Array<number>(levels).fill(0x91), 0xc0]);

describe('isPlainMessagePack', () => {
  it('takes what JSON can hold, at every width of number, text, list and map', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(isPlainMessagePack(packr.pack(value))).toBe(true);
      }),
    );
    const sizes = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
    const values = sizes.flatMap((size) => [
      'x'.repeat(size),
      new Uint8Array(size),
      new Array(size).fill(0),
      Object.fromEntries(Array.from({ length: Math.min(size, 300) }, (_, index) => [`k${index}`, index])),
    ]);
    const numbers = [
      0,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53 - 1,
      -1,
      -32,
      -33,
      -129,
      -32_769,
    ];
    for (const value of [...values, ...numbers, -(2 ** 31) - 1, 0.5, 1e300, undefined, null, true, false]) {
      expect(isPlainMessagePack(packr.pack(value))).toBe(true);
    }
  });

  it('wants exactly one value: nothing cut off, nothing after it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, more) => {
        const bytes = Uint8Array.from(packr.pack(value));
        expect(isPlainMessagePack(bytes.subarray(0, at % bytes.length))).toBe(false);
        expect(isPlainMessagePack(Uint8Array.from([...bytes, more]))).toBe(false);
      }),
    );
  });

  it('stops at 64 levels', () => {
    expect(isPlainMessagePack(nested(63))).toBe(true);
    expect(isPlainMessagePack(nested(64))).toBe(false);
  });

  it('refuses counts beyond the bytes that follow', () => {
    expect(isPlainMessagePack(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0))).toBe(false);
    expect(isPlainMessagePack(Uint8Array.of(0xdf, 0x7f, 0xff, 0xff, 0xff, 0xc0))).toBe(false);
    expect(isPlainMessagePack(Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff, 0x41))).toBe(false);
  });

  it.each([0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8])('refuses what starts with byte %i', (token) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (rest) => {
        const isUndefined = token === 0xd4 && rest.length === 2 && rest[0] === 0;
        expect(isPlainMessagePack(Uint8Array.from([token, ...rest]))).toBe(isUndefined);
      }),
    );
  });
});
