import { encode as encodePng } from 'fast-png';
import jpeg from 'jpeg-js';
import { type ClassificationData, classificationDataSchema } from '../../../client/data/classification-data.ts';

/** A manifest's `task.data`, parsed. */
export function taskData(value: Readonly<Record<string, unknown>>): ClassificationData {
  return classificationDataSchema.parse(value);
}

/** Bytes in the IDX format. */
export function idx(shape: readonly number[], values: Uint8Array, type = 8): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, type);
  header.setUint8(3, shape.length);
  shape.forEach((extent, axis) => {
    header.setUint32(4 + 4 * axis, extent);
  });
  return Buffer.concat([new Uint8Array(header.buffer), values]);
}

/** A folder of `count` images of 2 x 2 pixels, whose first pixel is the record's number, labelled 0, 1, 2 in turn. */
export function idxFiles(count: number, part = 'train'): Record<string, Uint8Array> {
  const pixels = Uint8Array.from({ length: 4 * count }, (_, at) => (at % 4 === 0 ? at / 4 : (7 * at) % 251));
  return {
    [`${part}-images-idx3-ubyte`]: idx([count, 2, 2], pixels),
    [`${part}-labels-idx1-ubyte`]: idx(
      [count],
      Uint8Array.from({ length: count }, (_, at) => at % 3),
    ),
  };
}

/** A PNG file of one gray or coloured value. */
export function png(width: number, height: number, colour: readonly number[], depth: 8 | 16 = 8): Uint8Array {
  const values = Array.from({ length: width * height }, () => colour).flat();
  const data = depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
  return encodePng({ width, height, channels: colour.length, depth, data });
}

/** A JPEG file of one colour. */
export function jpg(width: number, height: number, colour: readonly [number, number, number]): Uint8Array {
  const data = Uint8Array.from(Array.from({ length: width * height }, () => [...colour, 255]).flat());
  return jpeg.encode({ width, height, data }, 95).data;
}
