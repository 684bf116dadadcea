import { type DecodedPng, decode as decodePng } from 'fast-png';
import jpeg from 'jpeg-js';
import { badImage, readImageHeader } from './image-header.ts';

/** An image as numbers. */
export interface Pixels {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: 1 | 3;
  /** `height * width * channels` numbers from 0 to 255, row by row; those of 16-bit images have fractions. */
  readonly values: Float32Array;
}

const WHITE = 255;

/**
 * Decodes a PNG or JPEG file into pixels, the same numbers on every machine: both decoders are plain JavaScript. What is
 * transparent is laid on white. Colour profiles and the orientation that a camera noted are not applied.
 *
 * @param bytes - the whole file
 * @param where - its name, for errors
 * @throws DataError `data/bad-image`
 */
export function decodeImage(bytes: Uint8Array, where: string): Pixels {
  const { kind } = readImageHeader(bytes, where);
  try {
    return kind === 'png' ? fromPng(decodePng(bytes, { checkCrc: true })) : fromJpeg(bytes);
  } catch (cause) {
    return badImage(where, `it cannot be decoded (${(cause as Error).message})`, cause);
  }
}

function fromJpeg(bytes: Uint8Array): Pixels {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: 68,
    maxMemoryUsageInMB: 1_024,
  });
  return { width, height, channels: 3, values: Float32Array.from(data) };
}

function fromPng(png: DecodedPng): Pixels {
  const { width, height, depth, palette, transparency } = png;
  const samples = depth < 8 ? unpackBits(png) : png.data;
  const count = width * height;
  // In a palette, and in a colour that stands for nothing, transparency is not a channel of its own.
  const colours = palette ? 3 : png.channels < 3 ? 1 : 3;
  const hasAlpha = !palette && (png.channels === 2 || png.channels === 4);
  const most = palette ? 255 : 2 ** depth - 1;
  const values = new Float32Array(count * colours);
  for (let pixel = 0; pixel < count; pixel++) {
    const entry = palette?.[samples[pixel] as number];
    if (palette && !entry) throw new RangeError(`colour ${samples[pixel]} is not in the palette`);
    const at = pixel * png.channels;
    const colour = entry ?? samples.subarray(at, at + colours);
    const isKey = !palette && transparency?.length === colours && transparency.every((key, c) => key === colour[c]);
    const alpha = isKey ? 0 : hasAlpha ? (samples[at + colours] as number) / most : entry ? (entry[3] ?? 255) / 255 : 1;
    for (let channel = 0; channel < colours; channel++) {
      const value = ((colour[channel] as number) * 255) / most;
      values[pixel * colours + channel] = value * alpha + WHITE * (1 - alpha);
    }
  }
  return { width, height, channels: colours, values };
}

/** Samples of 1, 2 or 4 bits, packed from the highest bit; each row begins with a byte of its own. */
function unpackBits({ width, height, depth, data }: DecodedPng): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const samples = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      const byte = data[row * rowBytes + (bit >> 3)] as number;
      samples[row * width + column] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return samples;
}
