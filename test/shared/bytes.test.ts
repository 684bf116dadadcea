import { AbiCoder } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWord, BytesError, concatBytes, equalBytes, fromHex, toHex, utf8, word } from '../../shared/bytes.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as BytesError).code;
  }
  return 'nothing thrown';
}

describe('hexadecimal', () => {
  it('round-trips in lower case, views and Buffers included', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 5 }), (bytes, skip) => {
        expect(toHex(bytes)).toBe(`0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromHex(`0x${toHex(bytes).slice(2).toUpperCase()}`)).toEqual(bytes);
        expect(toHex(Buffer.from(bytes).subarray(skip))).toBe(toHex(bytes.slice(skip)));
      }),
    );
  });

  it.each(['', '0', '0x0', 'ab', '0X00', '0xg0', '0x00 ', ' 0x00', '0x00\n', '0x0０'])('refuses %j', (text) => {
    expect(codeOf(() => fromHex(text))).toBe('bytes/not-hex');
  });

  it('holds to a length', () => {
    expect(codeOf(() => fromHex('0x0011', 3))).toBe('bytes/wrong-length');
    expect(fromHex('0x0011', 2)).toEqual(Uint8Array.of(0, 0x11));
    expect(codeOf(() => fromHex('0x', 1))).toBe('bytes/wrong-length');
  });
});

describe('words', () => {
  it('are those of the ABI', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, (1n << 256n) - 1n),
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        (value, address) => {
          const coder = AbiCoder.defaultAbiCoder();
          expect(toHex(word(value))).toBe(coder.encode(['uint256'], [value]));
          expect(toHex(addressWord(toHex(address)))).toBe(coder.encode(['address'], [toHex(address)]));
        },
      ),
    );
  });

  it('hold 256 unsigned bits and no more', () => {
    expect(codeOf(() => word(-1))).toBe('bytes/out-of-range');
    expect(codeOf(() => word(1n << 256n))).toBe('bytes/out-of-range');
    expect(() => addressWord('0x00')).toThrow(BytesError);
  });
});

describe('byte strings', () => {
  it('join and compare', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (parts) => {
        const joined = concatBytes(...parts);
        expect(joined).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
        expect(equalBytes(joined, joined.slice())).toBe(true);
        if (joined.length > 0) {
          expect(equalBytes(joined, joined.subarray(1))).toBe(false);
          const other = joined.slice();
          other[other.length - 1] = (other[other.length - 1] as number) ^ 1;
          expect(equalBytes(joined, other)).toBe(false);
        }
      }),
    );
    expect(utf8('€')).toEqual(Uint8Array.of(0xe2, 0x82, 0xac));
  });
});
