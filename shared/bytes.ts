import { FedanchorError } from './errors.ts';

/** A byte string written as `0x` and lower-case hexadecimal digits. */
export type Hex = `0x${string}`;

/** Thrown when a byte string is not what its field asks for. */
export class BytesError extends FedanchorError<'bytes/not-hex' | 'bytes/wrong-length' | 'bytes/out-of-range'> {}

const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;

/** Writes bytes as `0x…` in lower case. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/**
 * Reads `0x…` of either case.
 *
 * @param text - the hexadecimal text
 * @param length - the exact number of bytes expected, if any
 * @throws BytesError `bytes/not-hex`, `bytes/wrong-length`
 */
export function fromHex(text: string, length?: number): Uint8Array {
  if (!HEX.test(text)) throw new BytesError('bytes/not-hex', `"${text.slice(0, 80)}" is not 0x-prefixed hexadecimal`);
  const bytes = new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  if (length !== undefined && bytes.length !== length) {
    throw new BytesError('bytes/wrong-length', `expected ${length} bytes, found ${bytes.length} in ${text}`);
  }
  return bytes;
}

/** Joins byte strings into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether two byte strings are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A byte string of zeros, as hexadecimal, 32 bytes long: the root of nothing. */
export const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;

/**
 * One 32-byte big-endian word, as the EVM's ABI lays out every static value.
 *
 * @param value - 0 <= value < 2^256
 * @throws BytesError `bytes/out-of-range`
 */
export function word(value: bigint | number): Uint8Array {
  const wide = BigInt(value);
  if (wide < 0n || wide >= 1n << 256n) {
    throw new BytesError('bytes/out-of-range', `${wide} does not fit an unsigned 256-bit word`);
  }
  return fromHex(`0x${wide.toString(16).padStart(64, '0')}`);
}

/** One 32-byte word holding an address (20 bytes), left-padded with zeros as the ABI does. */
export function addressWord(address: string): Uint8Array {
  return concatBytes(new Uint8Array(12), fromHex(address, 20));
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
