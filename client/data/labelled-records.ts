import type { Rng } from '../../shared/rng.ts';
import type { ExampleBatch, TrainingData } from '../trainers/training-data.ts';
import { type ClassificationData, classCount, inputSize } from './classification-data.ts';
import { openCsv } from './csv-source.ts';
import { DataError } from './data-error.ts';
import { openIdx } from './idx-source.ts';
import { openImages } from './image-source.ts';
import { openNdjson } from './ndjson-source.ts';
import type { RecordSource } from './record-source.ts';
import { splitRecords } from './split-records.ts';

/** A client's labelled records, split into what is trained on and what is held out. */
export interface LabelledRecords extends TrainingData {
  /** The records themselves. */
  readonly source: RecordSource;
  /** How many records there are of each class, training and held-out part together. */
  readonly histogram: readonly number[];
  /** How many held-out records there are of each class. */
  readonly heldOutHistogram: readonly number[];
  /** Records whose input another one before has too. */
  readonly duplicates: number;
  /** Closes files. */
  close(): void;
}

const DEFAULT_SHARE = 0.1;
const DEFAULT_MOST_HELD_OUT = 10_000;

/** The pixels of images are divided by this unless the manifest says otherwise, so that inputs are from 0 to 1. */
const PIXEL_DEVIATION = 255;

/**
 * Opens a client's data as a manifest describes it. One pass reads every record and checks it; what stays in memory is an
 * index of at most 28 bytes a record (a path for each image), and each record is read again when it is drawn.
 *
 * @param paths - files and folders with the client's data
 * @param data - the manifest's `task.data`, parsed
 * @throws DataError
 */
export async function openLabelledRecords(
  paths: readonly string[],
  data: ClassificationData,
): Promise<LabelledRecords> {
  const source = await openSource(paths, data);
  try {
    return overSource(source, data, paths);
  } catch (error) {
    source.close();
    throw error;
  }
}

function openSource(paths: readonly string[], data: ClassificationData): Promise<RecordSource> {
  switch (data.format) {
    case 'csv':
      return openCsv(paths, data);
    case 'idx':
      return openIdx(paths, data);
    case 'images':
      return openImages(paths, data);
    case 'ndjson':
      return openNdjson(paths, data);
  }
}

function overSource(source: RecordSource, data: ClassificationData, paths: readonly string[]): LabelledRecords {
  const { labels } = source;
  if (labels.length === 0) {
    throw new DataError('data/no-records', `${paths.join(', ')} holds no records: check the files`, {
      paths: [...paths],
    });
  }
  const { training, heldOut, duplicates } = splitRecords(source, {
    share: data.heldOutShare ?? DEFAULT_SHARE,
    most: data.heldOutSamples ?? DEFAULT_MOST_HELD_OUT,
  });
  if (training.length === 0 || heldOut.length === 0) {
    throw new DataError(
      'data/too-few-records',
      `${paths.join(', ')} holds ${labels.length} records, of which ${training.length} would be trained on and ${heldOut.length} held out: at least two that differ are needed, many more to learn anything`,
      { records: labels.length },
    );
  }
  const classes = classCount(data);
  const size = inputSize(data);
  const scale = createScaling(data, size);
  const batchOf = (records: ArrayLike<number>): ExampleBatch => {
    const inputs = new Float32Array(records.length * size);
    const answers = new Int32Array(records.length);
    for (let row = 0; row < records.length; row++) {
      const record = records[row] as number;
      source.readInput(record, inputs, row * size);
      answers[row] = labels[record] as number;
    }
    scale(inputs);
    return { inputs, labels: answers };
  };
  const examples = (positions: ArrayLike<number>): ExampleBatch =>
    batchOf(Array.from(positions, (position) => training[position] as number));
  const trained = countClasses(training, labels, classes);
  return {
    inputShape: data.inputShape,
    classes,
    samples: training.length,
    heldOutSamples: heldOut.length,
    mostFrequentClass: trained.indexOf(Math.max(...trained)),
    sample: (rng: Rng, count: number) => examples(Array.from({ length: count }, () => rng.below(training.length))),
    examples,
    heldOut: (start, count) => batchOf(heldOut.subarray(start, start + count)),
    source,
    histogram: countClasses(labels.keys(), labels, classes),
    heldOutHistogram: countClasses(heldOut, labels, classes),
    duplicates,
    close: () => source.close(),
  };
}

function countClasses(records: Iterable<number>, labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const record of records) {
    const label = labels[record] as number;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

/** Scales inputs in place by the manifest's constants, in doubles, rounded once to 32 bits. */
function createScaling(data: ClassificationData, size: number): (inputs: Float32Array) => void {
  const isPixels = data.format === 'idx' || data.format === 'images';
  const { mean = 0, deviation = isPixels ? PIXEL_DEVIATION : 1 } = data.scale ?? {};
  const spread = (values: number | readonly number[]): Float64Array =>
    Float64Array.from({ length: size }, (_, at) =>
      typeof values === 'number' ? values : (values[at % values.length] as number),
    );
  const means = spread(mean);
  const deviations = spread(deviation);
  return (inputs) => {
    for (let at = 0; at < inputs.length; at++) {
      const feature = at % size;
      inputs[at] = ((inputs[at] as number) - (means[feature] as number)) / (deviations[feature] as number);
    }
  };
}
