import { createHash } from 'node:crypto';
import { toHex } from '../../shared/bytes.ts';
import type { Dataset, Examples } from './dataset.ts';
import { DatasetError } from './dataset-error.ts';

/** Zeros in memory that threads share, so that none of them needs a copy. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/**
 * Positions spread evenly over others, so that a few stand for all, in whatever order these are.
 *
 * @param all - positions
 * @param most - how many at most; all if absent
 */
export function spread(all: ArrayLike<number>, most?: number): Uint32Array {
  const wanted = Math.min(all.length, most ?? all.length);
  return Uint32Array.from({ length: wanted }, (_, at) => all[Math.floor((at * all.length) / wanted)] as number);
}

/** What a reader has found out about data. */
export type DatasetParts = Omit<Dataset, 'contentHash' | 'features'>;

/**
 * Completes a dataset.
 *
 * @throws DatasetError `dataset/too-few-examples` if there is nothing to train or to test on
 */
export function completeDataset(parts: DatasetParts): Dataset {
  const { name, shape, classes, train, test, groupNames } = parts;
  if (train.count === 0 || test.count === 0) {
    const sentence = `the data "${name}" have ${train.count} examples to train on and ${test.count} to test on: both need some`;
    throw new DatasetError('dataset/too-few-examples', sentence, { train: train.count, test: test.count });
  }
  const features = shape.reduce((product, extent) => product * extent, 1);
  const hash = createHash('sha256');
  hash.update(`${JSON.stringify({ shape, classes, train: train.count, test: test.count, groupNames })}\n`);
  for (const part of [train, test]) {
    for (const values of [part.inputs, part.labels, part.groups]) if (values) hash.update(bytesOf(values));
  }
  return { ...parts, features, contentHash: toHex(new Uint8Array(hash.digest())) };
}

/**
 * Puts examples together one by one.
 *
 * @param records - which ones, in order
 * @param features - values of one
 * @param read - writes one's values at a position and returns its label, and its group where there are some
 */
export function gatherExamples(
  records: ArrayLike<number>,
  features: number,
  read: (record: number, into: Float32Array, at: number) => { readonly label: number; readonly group?: number },
): Examples {
  const count = records.length;
  const inputs = sharedFloats(count * features);
  const labels = new Int32Array(count);
  let groups: Int32Array | undefined;
  for (let at = 0; at < count; at++) {
    const { label, group } = read(records[at] as number, inputs, at * features);
    labels[at] = label;
    if (group === undefined) continue;
    groups ??= new Int32Array(count);
    groups[at] = group;
  }
  return { inputs, labels, count, ...(groups && { groups }) };
}

/** Scales values in place: `(value - mean) / std`, in doubles, rounded once. */
export function scaleInPlace(values: Float32Array, mean: number, std: number): void {
  for (let at = 0; at < values.length; at++) values[at] = ((values[at] as number) - mean) / std;
}

function bytesOf(values: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
