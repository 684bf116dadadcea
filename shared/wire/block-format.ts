import { BLOCK, MAX_UPDATE } from '../fixed-point/constants.ts';
import type { Saturated } from '../fixed-point/model.ts';
import type { Rng } from '../rng.ts';
import type { WireFormat } from './format.ts';
import { malformed, WireError } from './wire-error.ts';

/**
 * Few bits a coordinate: each block of 64 has a step, a power of two, and its coordinates are multiples of it by -127 to
 * 127 (8 bits) or -7 to 7 (4 bits). The step is the smallest that reaches the block's largest coordinate, so a block has
 * one coding only. (One scale for a few values as in Dettmers et al., "8-bit optimizers via block-wise quantization",
 * ICLR 2022.)
 *
 * A part is one byte, 8 or 4, and for each block the step's exponent and the 64 multiples, two's complement; of two that
 * share a byte the first is in its low half.
 */
export function blockFormat(bits: 8 | 4): WireFormat {
  const most = (1 << (bits - 1)) - 1;
  // The largest multiple of the largest step is a coordinate that an update may have.
  let mostExponent = 0;
  while (most << (mostExponent + 1) <= MAX_UPDATE) mostExponent++;
  const bytesPerBlock = 1 + (BLOCK * bits) / 8;

  const exponentFor = (largest: number): number => {
    let exponent = 0;
    while (exponent < mostExponent && largest > most << exponent) exponent++;
    return exponent;
  };

  return {
    restrict: (vector, rng) => restrictBlocks(vector, rng, most, exponentFor),
    encodePart: (part) => {
      const coded = new Uint8Array(1 + (part.length / BLOCK) * bytesPerBlock);
      coded[0] = bits;
      let to = 1;
      for (let start = 0; start < part.length; start += BLOCK) {
        const exponent = exponentFor(largestOf(part, start));
        coded[to++] = exponent;
        const remainder = (1 << exponent) - 1;
        for (let at = start; at < start + BLOCK; at++) {
          const value = part[at] as number;
          const multiple = value >> exponent;
          if ((value & remainder) !== 0 || multiple > most || multiple < -most) throw notRepresentable(bits, at, value);
          if (bits === 8) coded[to++] = multiple;
          else if (at % 2 === 1) coded[to++] = (((part[at - 1] as number) >> exponent) & 15) | ((multiple & 15) << 4);
        }
      }
      return coded;
    },
    decodePart: (coded, coordinates) => {
      const expected = 1 + (coordinates / BLOCK) * bytesPerBlock;
      if (coded.length !== expected) {
        throw malformed(`${coordinates} coordinates take ${expected} bytes, ${coded.length} arrived`);
      }
      if (coded[0] !== bits) throw malformed(`its first byte is ${coded[0]}, expected ${bits}`);
      const part = new Int16Array(coordinates);
      let from = 1;
      for (let start = 0; start < coordinates; start += BLOCK) {
        const exponent = coded[from++] as number;
        if (exponent > mostExponent) throw malformed(`the step of block ${start / BLOCK} is 2^${exponent}`);
        let largest = 0;
        for (let at = start; at < start + BLOCK; at++) {
          const multiple = bits === 8 ? signed8(coded[from++]) : signed4(coded[at % 2 === 0 ? from : from++], at % 2);
          const magnitude = Math.abs(multiple);
          if (magnitude > most) throw malformed(`coordinate ${at} is ${multiple} steps, at most ${most} are taken`);
          if (magnitude > largest) largest = magnitude;
          part[at] = multiple << exponent;
        }
        if (exponent > 0 && 2 * largest <= most) {
          throw malformed(`the step of block ${start / BLOCK} is larger than its coordinates need`);
        }
      }
      return part;
    },
  };
}

/** Rounds each block to multiples of its step: up with the probability that keeps the expectation, exactly. */
function restrictBlocks(
  vector: Int16Array,
  rng: Rng,
  most: number,
  exponentFor: (largest: number) => number,
): Saturated<Int16Array> {
  const restricted = new Int16Array(vector.length);
  let saturated = 0;
  // Random bits not yet used: one draw does for several coordinates.
  let [bits, left] = [0, 0];
  for (let start = 0; start < vector.length; start += BLOCK) {
    const exponent = exponentFor(largestOf(vector, start));
    const remainder = (1 << exponent) - 1;
    for (let at = start; at < start + BLOCK; at++) {
      const value = vector[at] as number;
      const beyond = value & remainder;
      let multiple = value >> exponent;
      if (beyond > 0) {
        if (left < exponent) [bits, left] = [rng.nextUint32(), 32];
        if ((bits & remainder) < beyond) multiple++;
        bits >>>= exponent;
        left -= exponent;
      }
      if (multiple > most || multiple < -most) {
        saturated++;
        multiple = multiple > 0 ? most : -most;
      }
      restricted[at] = multiple << exponent;
    }
  }
  return { vector: restricted, saturated };
}

function largestOf(vector: Int16Array, start: number): number {
  let largest = 0;
  for (let at = start; at < start + BLOCK; at++) {
    const magnitude = Math.abs(vector[at] as number);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

const signed8 = (byte = 0): number => (byte << 24) >> 24;
const signed4 = (byte = 0, half: number): number => (byte << (28 - 4 * half)) >> 28;

function notRepresentable(bits: number, at: number, value: number): WireError {
  const message = `coordinate ${at} is ${value}, which ${bits} bits do not hold: restrict the update to its wire format first`;
  return new WireError('wire/not-representable', message, { at, value });
}
