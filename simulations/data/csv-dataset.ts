import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { DataError } from '../../client/data/data-error.ts';
import { dataFiles } from '../../client/data/data-files.ts';
import { compareCodeUnits } from '../../client/data/directory-reader.ts';
import { readNumber } from '../../client/data/read-number.ts';
import { splitRecords } from '../../client/data/split-records.ts';
import { didYouMean } from '../../shared/aggregation/nearest-name.ts';
import type { DataSpecOf } from './data-spec.ts';
import type { Dataset, Examples } from './dataset.ts';
import { DatasetError } from './dataset-error.ts';
import { completeDataset, gatherExamples, scaleInPlace, spread } from './examples.ts';

/** The digits as scikit-learn packs them: 64 pixels of 0 to 16, then the label. */
const DIGITS = { label: 64, header: false, delimiter: ',', standardize: false, shape: [8, 8, 1] } as const;

interface Row {
  readonly values: Float32Array;
  readonly label: string;
  readonly group: string | undefined;
}

/**
 * Opens comma-separated values, a file or all `.csv` and `.csv.gz` files of a folder, in which one column is the label,
 * one may be a natural group, and all others are numbers. Labels that are all whole numbers are ordered as numbers, others
 * as text.
 *
 * @throws DatasetError `dataset/bad-option`, `dataset/too-few-examples`; DataError for what is wrong with a file
 */
export async function openCsvDataset(spec: DataSpecOf<'csv'> | DataSpecOf<'digits'>, path: string): Promise<Dataset> {
  const how: Omit<DataSpecOf<'csv'>, 'name'> = spec.name === 'csv' ? spec : { ...spec, ...DIGITS };
  const rows: Row[] = [];
  for (const file of await dataFiles([path], (name) => /\.csv(\.gz)?$/i.test(name), '.csv files')) {
    for (const row of await readRows(file, how)) rows.push(row);
  }
  const features = rows[0]?.values.length ?? 0;
  const classNames = inOrder(rows.map(({ label }) => label));
  const groupNames = how.group === undefined ? undefined : inOrder(rows.map(({ group }) => group ?? ''));
  if (classNames.length < 2) {
    const sentence = `${path}: the label column has ${classNames.length} different values: name the right one as "label"`;
    throw new DatasetError('dataset/bad-option', sentence, { field: 'data.label' });
  }
  const classOf = new Map(classNames.map((name, at) => [name, at]));
  const groupOf = new Map(groupNames?.map((name, at) => [name, at]));
  const keys = Float64Array.from(rows, ({ values }) =>
    createHash('sha256').update(new Uint8Array(values.buffer)).digest().readUIntBE(0, 6),
  );
  const { training, heldOut } = splitRecords({ keys }, { share: how.testShare, most: rows.length });
  const gather = (records: Uint32Array, most: number | undefined): Examples =>
    gatherExamples(spread(records, most), features, (record, into, at) => {
      const { values, label, group } = rows[record] as Row;
      into.set(values, at);
      return { label: classOf.get(label) as number, ...(groupNames && { group: groupOf.get(group ?? '') as number }) };
    });
  const train = gather(training, how.train);
  const test = gather(heldOut, how.test);
  if (how.standardize) standardize(train, test, features);
  for (const { inputs } of [train, test]) scaleInPlace(inputs, how.mean, how.std);
  const shape = spec.name === 'digits' ? DIGITS.shape : [features];
  return completeDataset({
    ...{ name: spec.name, shape, classes: classNames.length, train, test },
    ...(groupNames && { groupNames }),
  });
}

async function readRows(file: string, how: Omit<DataSpecOf<'csv'>, 'name'>): Promise<Row[]> {
  let records: string[][];
  try {
    const bytes = await readFile(file);
    const plain = file.toLowerCase().endsWith('.gz') ? gunzipSync(bytes) : bytes;
    records = parse(plain, { bom: true, delimiter: how.delimiter, skip_empty_lines: true });
  } catch (cause) {
    throw new DataError('data/bad-record', `${file}: ${(cause as Error).message}; correct it`, { file }, cause);
  }
  const names = how.header ? (records.shift() ?? []).map((name) => name.trim()) : undefined;
  const width = names?.length ?? records[0]?.length ?? 0;
  const label = columnOf(file, 'label', how.label, names, width);
  const group = how.group === undefined ? undefined : columnOf(file, 'group', how.group, names, width);
  const inputs = Array.from({ length: width }, (_, at) => at).filter((at) => at !== label && at !== group);
  if (inputs.length === 0) {
    throw new DatasetError('dataset/bad-option', `${file}: no column is left for the input beside label and group`, {});
  }
  return records.map((record, at) => {
    const where = `${file}, record ${at}`;
    const values = Float32Array.from(inputs, (input) =>
      readNumber((record[input] ?? '').trim(), how.missing, () => `${where}, column ${names?.[input] ?? input}`),
    );
    const answer = (record[label] ?? '').trim();
    if (answer === '') throw new DataError('data/bad-label', `${where}: there is no label; fill it in`, { file });
    return { values, label: answer, group: group === undefined ? undefined : (record[group] ?? '').trim() };
  });
}

function columnOf(
  file: string,
  field: 'label' | 'group',
  wanted: string | number,
  names: readonly string[] | undefined,
  width: number,
): number {
  const column = typeof wanted === 'number' ? wanted : (names?.indexOf(wanted) ?? -1);
  if (column >= 0 && column < width) return column;
  const known = names
    ? `${didYouMean(String(wanted), names)} the columns are ${names.slice(0, 20).join(', ')}`
    : ` without a header columns are numbers from 0 to ${width - 1}`;
  throw new DatasetError('dataset/bad-option', `data, field "${field}": ${file} has no column "${wanted}";${known}`, {
    ...{ file, field: `data.${field}` },
  });
}

/** Different texts in order: as numbers where all are whole numbers, else by code units. */
function inOrder(texts: readonly string[]): string[] {
  const different = [...new Set(texts)];
  const isNumbers = different.every((text) => /^-?[0-9]{1,15}$/.test(text));
  return different.sort((a, b) =>
    isNumbers ? Number(a) - Number(b) || compareCodeUnits(a, b) : compareCodeUnits(a, b),
  );
}

function standardize(train: Examples, test: Examples, features: number): void {
  for (let feature = 0; feature < features; feature++) {
    let sum = 0;
    let squares = 0;
    for (let at = feature; at < train.inputs.length; at += features) sum += train.inputs[at] as number;
    const mean = sum / train.count;
    for (let at = feature; at < train.inputs.length; at += features) {
      const deviation = (train.inputs[at] as number) - mean;
      squares += deviation * deviation;
    }
    // A column that never changes says nothing: it becomes 0.
    const deviation = Math.sqrt(squares / train.count) || 1;
    for (const { inputs } of [train, test]) {
      for (let at = feature; at < inputs.length; at += features) {
        inputs[at] = ((inputs[at] as number) - mean) / deviation;
      }
    }
  }
}
