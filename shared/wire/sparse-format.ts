import { PART_BYTES } from '../commitments/vector-trees.ts';
import { MAX_UPDATE } from '../fixed-point/constants.ts';
import type { WireFormat } from './format.ts';
import { malformed, WireError } from './wire-error.ts';

const PART_COORDINATES = PART_BYTES / 2;

/** First byte of a coded part: no number of bits. */
const TAG = 1;

/**
 * Few coordinates: of each part the largest in magnitude, the first of equal ones; all others are zero (Stich,
 * Cordonnier and Jaggi, "Sparsified SGD with memory", NeurIPS 2018). What is left out is lost unless error feedback brings
 * it in a later round.
 *
 * A part is the byte 1, how many coordinates are not zero, and for each, in order, how many zeros come before it and its
 * value, zigzag (0, -1, 1, -2, 2 as 0, 1, 2, 3, 4). All are numbers in groups of seven bits, low ones first, each byte
 * but the last with its top bit set, in as few bytes as they fit (LEB128).
 *
 * @param keepPerMille - how many of a thousand coordinates are kept, at least one of each part
 */
export function sparseFormat(keepPerMille: number): WireFormat {
  const limitOf = (coordinates: number): number => Math.max(1, Math.floor((coordinates * keepPerMille) / 1000));

  return {
    restrict: (vector) => {
      const restricted = new Int16Array(vector.length);
      for (let start = 0; start < vector.length; start += PART_COORDINATES) {
        const part = vector.subarray(start, start + PART_COORDINATES);
        keepLargest(part, restricted.subarray(start, start + PART_COORDINATES), limitOf(part.length));
      }
      return { vector: restricted, saturated: 0 };
    },
    encodePart: (part) => {
      let count = 0;
      for (const value of part) if (value !== 0) count++;
      if (count > limitOf(part.length)) throw tooDense(count, limitOf(part.length));
      // Three bytes hold any gap within a part, two any value.
      const coded = new Uint8Array(4 + count * 5);
      coded[0] = TAG;
      let to = writeNumber(coded, 1, count);
      let next = 0;
      for (let at = 0; at < part.length; at++) {
        const value = part[at] as number;
        if (value === 0) continue;
        to = writeNumber(coded, to, at - next);
        to = writeNumber(coded, to, value < 0 ? -2 * value - 1 : 2 * value);
        next = at + 1;
      }
      return coded.slice(0, to);
    },
    decodePart: (coded, coordinates) => {
      if (coded[0] !== TAG) throw malformed(`its first byte is ${coded[0] ?? 'missing'}, expected ${TAG}`);
      const reader = readNumbers(coded, 1);
      const count = reader.next();
      const limit = limitOf(coordinates);
      if (count > limit) throw malformed(`it has ${count} coordinates, at most ${limit} are taken`);
      const part = new Int16Array(coordinates);
      let next = 0;
      for (let read = 0; read < count; read++) {
        const at = next + reader.next();
        if (at >= coordinates) throw malformed(`a coordinate lies at ${at}, beyond the last of ${coordinates}`);
        const zigzag = reader.next();
        const value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
        if (value === 0 || Math.abs(value) > MAX_UPDATE) throw malformed(`coordinate ${at} is ${value}`);
        part[at] = value;
        next = at + 1;
      }
      if (reader.at() !== coded.length) throw malformed(`${coded.length - reader.at()} bytes are left over`);
      return part;
    },
  };
}

/** Copies the `limit` coordinates of largest magnitude, by counting magnitudes: no order of sorting can matter. */
function keepLargest(part: Int16Array, kept: Int16Array, limit: number): void {
  const counts = new Uint32Array(MAX_UPDATE + 1);
  for (const value of part) {
    const magnitude = Math.abs(value);
    counts[magnitude] = (counts[magnitude] as number) + 1;
  }
  let threshold = MAX_UPDATE;
  let room = limit;
  for (; threshold > 0 && (counts[threshold] as number) <= room; threshold--) room -= counts[threshold] as number;
  for (let at = 0; at < part.length; at++) {
    const value = part[at] as number;
    const magnitude = Math.abs(value);
    if (magnitude > threshold || (magnitude === threshold && magnitude > 0 && room-- > 0)) kept[at] = value;
  }
}

function writeNumber(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}

/** Reads numbers of at most three bytes one after the other. */
function readNumbers(bytes: Uint8Array, start: number): { next(): number; at(): number } {
  let at = start;
  return {
    at: () => at,
    next: () => {
      let value = 0;
      for (let shift = 0; shift < 21; shift += 7) {
        const byte = bytes[at++];
        if (byte === undefined) throw malformed('it breaks off');
        value |= (byte & 127) << shift;
        if (byte < 128) {
          if (byte === 0 && shift > 0) throw malformed('a number has more bytes than it needs');
          return value;
        }
      }
      throw malformed('a number has more than three bytes');
    },
  };
}

function tooDense(count: number, limit: number): WireError {
  const message = `${count} coordinates of a part are not zero, its wire format takes ${limit}: restrict the update to it first`;
  return new WireError('wire/not-representable', message, { count, limit });
}
