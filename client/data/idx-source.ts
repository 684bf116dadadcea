import { join } from 'node:path';
import { classCount, type DataOf, inputSize } from './classification-data.ts';
import { DataError } from './data-error.ts';
import { dataFiles } from './data-files.ts';
import { createLabelReader } from './label-reader.ts';
import { openRandomAccess, type RandomAccess } from './random-access.ts';
import { createIndexBuilder, type RecordSource } from './record-source.ts';

const UNSIGNED_BYTE = 8;
const LABELS_AT_ONCE = 65_536;

interface Pair {
  readonly images: RandomAccess;
  readonly labels: RandomAccess;
  readonly count: number;
  readonly imagesAt: number;
  readonly labelsAt: number;
  readonly first: number;
}

/**
 * Opens images and labels in the IDX format of MNIST (LeCun, Cortes and Burges): two zero bytes, the type of the values,
 * the number of dimensions, each as a big-endian 32-bit integer, then the values.
 *
 * @param paths - a folder with `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte`, plain or `.gz`
 * @param data - the manifest's `task.data`
 * @throws DataError `data/folder-missing`, `data/no-records`, `data/bad-record`, `data/bad-label`, `data/unreadable`
 */
export async function openIdx(paths: readonly string[], data: DataOf<'idx'>): Promise<RecordSource> {
  const size = inputSize(data);
  // The format has no names: its labels are numbers, also where the manifest names the classes for people.
  const readLabel = createLabelReader({ classes: classCount(data) });
  const index = createIndexBuilder();
  const pairs: Pair[] = [];
  const close = (): void => {
    for (const { images, labels } of pairs) for (const file of [images, labels]) file.close();
  };
  let heldOutFrom: number | undefined;
  try {
    for (const part of [data.part ?? 'train', ...(data.heldOutPart === undefined ? [] : [data.heldOutPart])]) {
      if (pairs.length > 0) heldOutFrom = index.count;
      const pair = await openPair(paths, part, data.inputShape, index.count);
      pairs.push(pair);
      for (let at = 0; at < pair.count; at += LABELS_AT_ONCE) {
        const labels = pair.labels.read(pair.labelsAt + at, Math.min(LABELS_AT_ONCE, pair.count - at));
        labels.forEach((label, step) => {
          const pixels = pair.images.read(pair.imagesAt + (at + step) * size, size);
          index.add(readLabel(label, `${pair.labels.name}, record ${at + step}`), pixels);
        });
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const find = (record: number): { readonly pair: Pair; readonly at: number } => {
    const pair = pairs.findLast(({ first }) => first <= record) as Pair;
    return { pair, at: record - pair.first };
  };
  const pixelsOf = (record: number): Uint8Array => {
    const { pair, at } = find(record);
    return pair.images.read(pair.imagesAt + at * size, size);
  };
  return {
    ...index.build(),
    ...(heldOutFrom === undefined ? {} : { heldOutFrom }),
    files: 2 * pairs.length,
    locate: (record) => {
      const { pair, at } = find(record);
      return `${pair.images.name}, record ${at}`;
    },
    readInput: (record, into, at) => into.set(pixelsOf(record), at),
    readRaw: pixelsOf,
    close,
  };
}

async function openPair(
  paths: readonly string[],
  part: string,
  inputShape: readonly number[],
  first: number,
): Promise<Pair> {
  const images = await openPart(paths, part, 'images');
  try {
    const labels = await openPart(paths, part, 'labels');
    try {
      const pictures = readIdxHeader(images);
      const answers = readIdxHeader(labels);
      const [count = 0, ...shape] = pictures.shape;
      const flat = [...shape, 1];
      if (shape.join() !== inputShape.join() && flat.join() !== inputShape.join()) {
        throw broken(
          images.name,
          `its records have the shape [${shape}], the manifest's inputShape is [${inputShape}]`,
        );
      }
      if (answers.shape.length !== 1 || answers.shape[0] !== count) {
        throw broken(labels.name, `it labels ${answers.shape.join(' x ')} records, the images are ${count}`);
      }
      return { images, labels, count, first, imagesAt: pictures.valuesAt, labelsAt: answers.valuesAt };
    } catch (error) {
      labels.close();
      throw error;
    }
  } catch (error) {
    images.close();
    throw error;
  }
}

async function openPart(paths: readonly string[], part: string, kind: 'images' | 'labels'): Promise<RandomAccess> {
  return openRandomAccess(await findIdxFile(paths, part, kind));
}

/**
 * Finds one file of a pair, plain or `.gz`.
 *
 * @throws DataError `data/folder-missing`, `data/no-records`
 */
export async function findIdxFile(paths: readonly string[], part: string, kind: 'images' | 'labels'): Promise<string> {
  const name = new RegExp(`^${part.replace(/[^\w]/g, '\\$&')}-${kind}[-.]idx[0-9]+-ubyte(\\.gz)?$`);
  const [file] = await dataFiles(paths, (found) => name.test(found), `${part}-${kind}-idx-ubyte file`);
  return file ?? join(part, kind);
}

/**
 * Reads the header of an IDX file of unsigned bytes, and checks that the file is as long as it says.
 *
 * @returns the shape, records first, and where the values begin
 * @throws DataError `data/bad-record`
 */
export function readIdxHeader(file: Pick<RandomAccess, 'name' | 'bytes' | 'read'>): {
  readonly shape: number[];
  readonly valuesAt: number;
} {
  if (file.bytes < 8) throw broken(file.name, `it has ${file.bytes} bytes, not even a header`);
  const [zero, none, type, dimensions = 0] = file.read(0, 4);
  if (zero !== 0 || none !== 0) {
    throw broken(file.name, 'it does not begin as an IDX file does, with two zero bytes: is it still packed?');
  }
  if (type !== UNSIGNED_BYTE) {
    throw broken(file.name, `its values have the type 0x${type?.toString(16)}, only unsigned bytes (0x8) are read`);
  }
  const valuesAt = 4 + 4 * dimensions;
  if (dimensions === 0 || file.bytes < valuesAt) throw broken(file.name, 'its header is cut off');
  const header = file.read(4, 4 * dimensions);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 * axis));
  const expected = valuesAt + shape.reduce((product, extent) => product * extent, 1);
  if (file.bytes !== expected) {
    const what = file.bytes < expected ? 'is cut off' : 'has something after its end';
    throw broken(file.name, `it ${what}: of shape [${shape}] it would have ${expected} bytes, it has ${file.bytes}`);
  }
  return { shape, valuesAt };
}

function broken(file: string, why: string): DataError {
  return new DataError('data/bad-record', `${file}: ${why}; fetch or make the file again`, { file });
}
