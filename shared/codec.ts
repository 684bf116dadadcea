import { FedanchorError } from './errors.ts';

/** What canonical JSON can hold: no undefined, no bigint (write those as decimal strings). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Thrown when a value has no canonical form or a text is not the canonical form of its value. */
export class CodecError extends FedanchorError<'codec/not-canonical' | 'codec/not-json' | 'codec/too-deep'> {}

/** Arrays and objects within one another that a document may have: a limit of ours, not of some machine's stack. */
const DEEPEST = 200;

/**
 * Canonical JSON (RFC 8785): keys sorted by UTF-16 code units, no white space, ECMAScript numbers. Equal values have
 * equal bytes, so a hash of the text is a hash of the value.
 *
 * @throws CodecError `codec/not-json` for a number that is not finite or a value JSON does not have, `codec/too-deep`
 * beyond 200 levels
 */
export function canonicalJson(value: Json): string {
  return write(value, 0);
}

function write(value: Json, depth: number): string {
  if (depth > DEEPEST) throw new CodecError('codec/too-deep', `a document may be ${DEEPEST} levels deep, no more`);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value as Record<string, Json>)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${write(member, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new CodecError('codec/not-json', `${value} has no JSON form: use a finite number`);
  }
  const text = JSON.stringify(value);
  if (text === undefined) throw new CodecError('codec/not-json', `a ${typeof value} has no JSON form`);
  return text;
}

/**
 * Parses canonical JSON and refuses any other spelling, so that one value has one hash.
 *
 * @throws CodecError `codec/not-json`, `codec/not-canonical`, `codec/too-deep`
 */
export function parseCanonicalJson(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new CodecError('codec/not-json', 'the document is not JSON', {}, cause);
  }
  if (canonicalJson(value) !== text) {
    throw new CodecError('codec/not-canonical', 'the document is JSON but not in canonical form (RFC 8785)');
  }
  return value;
}

/**
 * {@link parseCanonicalJson} of UTF-8 bytes. A byte-order mark and bytes that are not UTF-8 are refused: read leniently,
 * they would give one value to two byte strings.
 *
 * @throws CodecError `codec/not-json`, `codec/not-canonical`, `codec/too-deep`
 */
export function decodeCanonicalJson(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CodecError('codec/not-json', 'the document is not UTF-8', {}, cause);
  }
  return parseCanonicalJson(text);
}
