import { DataError } from './data-error.ts';

/** What the first bytes of an image say. */
export interface ImageHeader {
  /** By its content, whatever the file is called. */
  readonly kind: 'png' | 'jpeg';
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** An image of more pixels is not decoded: a few bytes could ask for all memory. */
const MOST_PIXELS = 64 * 2 ** 20;

/** Markers of JPEG that begin a frame, which states its size: all of C0 to CF but tables and the arithmetic coder's. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Reads kind and size of an image without decoding it.
 *
 * @param bytes - the whole file
 * @param where - its name, for errors
 * @throws DataError `data/bad-image`
 */
export function readImageHeader(bytes: Uint8Array, where: string): ImageHeader {
  const header = PNG_SIGNATURE.every((byte, at) => bytes[at] === byte)
    ? readPng(bytes, where)
    : bytes[0] === 0xff && bytes[1] === 0xd8
      ? readJpeg(bytes, where)
      : badImage(where, 'it is neither a PNG nor a JPEG file, whatever its name says');
  const { width, height } = header;
  if (width === 0 || height === 0) return badImage(where, `it is ${width} x ${height} pixels`);
  if (width * height > MOST_PIXELS) {
    return badImage(where, `it is ${width} x ${height} pixels, more than ${MOST_PIXELS}`);
  }
  return header;
}

/** Throws the error for an image that cannot be used. */
export function badImage(where: string, why: string, cause?: unknown): never {
  throw new DataError('data/bad-image', `${where}: ${why}; convert the image or leave it out`, { file: where }, cause);
}

function readPng(bytes: Uint8Array, where: string): ImageHeader {
  if (bytes.length < 33) badImage(where, 'it is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { kind: 'png', width: view.getUint32(16), height: view.getUint32(20) };
}

function readJpeg(bytes: Uint8Array, where: string): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isFrame(marker)) {
      const precision = bytes[at + 4];
      const components = bytes[at + 9];
      if (precision !== 8) badImage(where, `its samples have ${precision} bits, only 8 are read`);
      if (marker > 0xc2) badImage(where, 'it is a lossless or arithmetic-coded JPEG');
      if (components === 4) badImage(where, 'it has four colours (CMYK), whose meaning its profile decides');
      if (components !== 1 && components !== 3) badImage(where, `it has ${components} components`);
      return { kind: 'jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return badImage(where, 'it is cut off, or damaged, before its size is stated');
}
