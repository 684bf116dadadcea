import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../../client/data/data-error.ts';
import { findIdxFile, readIdxHeader } from '../../client/data/idx-source.ts';
import { KNOWN_DATASETS } from '../../client/data/known-datasets.ts';
import { createLabelReader } from '../../client/data/label-reader.ts';
import type { DataSpecOf } from './data-spec.ts';
import type { Dataset, Examples } from './dataset.ts';
import { DatasetError } from './dataset-error.ts';
import { completeDataset, gatherExamples, spread } from './examples.ts';

interface IdxFile {
  readonly name: string;
  /** All of it, unpacked. */
  readonly bytes: Uint8Array;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

interface IdxPair {
  readonly images: IdxFile;
  readonly labels: IdxFile;
}

/** The four files in the order in which the known ones are listed. */
const MNIST_FILES = { height: 28, width: 28, classes: 10, trainPart: 'train', testPart: 't10k' } as const;

/**
 * Opens images and labels in the IDX format of MNIST, plain or `.gz`. MNIST and Fashion-MNIST are held to the SHA-256 of
 * their files, unpacked.
 *
 * @param folder - with the four files
 * @throws DatasetError `dataset/wrong-hash`, `dataset/too-few-examples`; DataError for what is wrong with a file
 */
export async function openIdxDataset(
  spec: DataSpecOf<'mnist'> | DataSpecOf<'fashion-mnist'> | DataSpecOf<'idx'>,
  folder: string,
): Promise<Dataset> {
  const { height, width, classes, trainPart, testPart } = spec.name === 'idx' ? spec : MNIST_FILES;
  const shape = [height, width, 1];
  const pairs = [await readPair(folder, trainPart, shape), await readPair(folder, testPart, shape)] as const;
  if (spec.name !== 'idx') requireKnown(spec.name, pairs);
  // One of 256 values a pixel: each is scaled once.
  const scaled = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - spec.mean) / spec.std);
  const readLabel = createLabelReader({ classes });
  const gather = ({ images, labels }: IdxPair, most: number | undefined): Examples => {
    const size = height * width;
    const records = Uint32Array.from({ length: labels.values.length }, (_, record) => record);
    return gatherExamples(spread(records, most), size, (record, into, at) => {
      const from = record * size;
      for (let pixel = 0; pixel < size; pixel++) {
        into[at + pixel] = scaled[images.values[from + pixel] as number] as number;
      }
      return { label: readLabel(labels.values[record], `${labels.name}, record ${record}`) };
    });
  };
  const train = gather(pairs[0], spec.train);
  const test = gather(pairs[1], spec.test);
  return completeDataset({ name: spec.name, shape, classes, train, test });
}

async function readPair(folder: string, part: string, [height, width]: readonly number[]): Promise<IdxPair> {
  const images = await readIdx(await findIdxFile([folder], part, 'images'));
  const labels = await readIdx(await findIdxFile([folder], part, 'labels'));
  const [count = 0, ...size] = images.shape;
  if (size.join() !== `${height},${width}`) {
    throw wrong(images, `its images are of the size [${size}], not [${height},${width}]: give "height" and "width"`);
  }
  if (labels.shape.join() !== `${count}`) {
    throw wrong(labels, `it labels ${labels.shape.join(' x ')} records, the images are ${count}: fetch the pair again`);
  }
  return { images, labels };
}

async function readIdx(name: string): Promise<IdxFile> {
  let bytes: Uint8Array;
  try {
    const found = await readFile(name);
    bytes = name.endsWith('.gz') ? gunzipSync(found) : found;
  } catch (cause) {
    const sentence = `${name} cannot be read (${(cause as Error).message}): check the file and its permissions`;
    throw new DataError('data/unreadable', sentence, { file: name }, cause);
  }
  const read = (position: number, length: number): Uint8Array => bytes.subarray(position, position + length);
  const { shape, valuesAt } = readIdxHeader({ name, bytes: bytes.length, read });
  return { name, bytes, shape, values: bytes.subarray(valuesAt) };
}

function wrong(file: IdxFile, why: string): DataError {
  return new DataError('data/bad-record', `${file.name}: ${why}`, { file: file.name });
}

function requireKnown(name: 'mnist' | 'fashion-mnist', pairs: readonly IdxPair[]): void {
  const files = pairs.flatMap(({ images, labels }) => [images, labels]);
  for (const [at, { name: known, sha256 }] of KNOWN_DATASETS[name].files.entries()) {
    const file = files[at] as IdxFile;
    const found = createHash('sha256').update(file.bytes).digest('hex');
    if (found === sha256) continue;
    throw new DatasetError(
      'dataset/wrong-hash',
      `${file.name} is not the ${known} of ${name}: its SHA-256, unpacked, is ${found} and not ${sha256}; fetch it with "fedanchor client data fetch ${name} --out FOLDER", or name the data "idx" to use it as it is`,
      { file: file.name, expected: sha256, found },
    );
  }
}
