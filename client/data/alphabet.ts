const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The symbol of a line feed. */
export const NEWLINE_SYMBOL = LAST_PRINTABLE - FIRST_PRINTABLE + 1;

/** The symbol of every character outside the alphabet. */
export const OTHER_SYMBOL = NEWLINE_SYMBOL + 1;

/** Symbols in the alphabet: the 95 printable ASCII characters in code order, line feed, and one for all others. */
export const ALPHABET_SIZE = OTHER_SYMBOL + 1;

/**
 * Turns text into symbols, one per code point: a tab counts as a space, a carriage return is left out, so that a text
 * checked out with either line ending gives the same symbols.
 *
 * @param text - any text
 * @returns one number in [0, ALPHABET_SIZE) per symbol
 */
export function encodeText(text: string): Uint8Array {
  const symbols = new Uint8Array(text.length);
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code === CARRIAGE_RETURN) continue;
    symbols[length++] = symbolOf(code);
  }
  return symbols.slice(0, length);
}

/**
 * Turns symbols back into text; what was outside the alphabet reads as U+FFFD.
 *
 * @param symbols - numbers in [0, ALPHABET_SIZE)
 */
export function decodeSymbols(symbols: ArrayLike<number>): string {
  return Array.from(symbols, (symbol) => {
    if (symbol === NEWLINE_SYMBOL) return '\n';
    return symbol < NEWLINE_SYMBOL ? String.fromCharCode(symbol + FIRST_PRINTABLE) : '\uFFFD';
  }).join('');
}

function symbolOf(code: number): number {
  if (code === TAB) return 0;
  if (code === NEWLINE) return NEWLINE_SYMBOL;
  return code >= FIRST_PRINTABLE && code <= LAST_PRINTABLE ? code - FIRST_PRINTABLE : OTHER_SYMBOL;
}
