import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALPHABET_SIZE,
  decodeSymbols,
  encodeText,
  NEWLINE_SYMBOL,
  OTHER_SYMBOL,
} from '../../../client/data/alphabet.ts';

describe('the alphabet', () => {
  it('holds printable ASCII, line feed and one symbol for the rest', () => {
    expect(ALPHABET_SIZE).toBe(97);
    expect([...encodeText(' A~\n')]).toEqual([0, 33, 94, NEWLINE_SYMBOL]);
    expect([...encodeText('é😀\u0000')]).toEqual([OTHER_SYMBOL, OTHER_SYMBOL, OTHER_SYMBOL]);
  });

  it('reads a tab as a space and either line ending alike', () => {
    expect(decodeSymbols(encodeText('a\tb\r\nc'))).toBe('a b\nc');
  });

  it('gives printable text back', () => {
    const printable = fc.string({
      unit: fc.constantFrom(...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)), '\n'),
    });
    fc.assert(
      fc.property(printable, (text) => {
        expect(decodeSymbols(encodeText(text))).toBe(text);
      }),
    );
  });

  it('never leaves its range', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encodeText(text).every((symbol) => symbol < ALPHABET_SIZE)).toBe(true);
      }),
    );
  });
});
