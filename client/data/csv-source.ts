import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Options, parse } from 'csv-parse';
import { parse as parseNow } from 'csv-parse/sync';
import { type DataOf, inputSize } from './classification-data.ts';
import { DataError } from './data-error.ts';
import { dataFiles } from './data-files.ts';
import { createLabelReader } from './label-reader.ts';
import { changed, openRandomAccess, type RandomAccess } from './random-access.ts';
import { readNumber } from './read-number.ts';
import { bytesOf, createIndexBuilder, createNumberList, type RecordSource } from './record-source.ts';

const CARRIAGE_RETURN = 13;
const NEWLINE = 10;
const QUOTE = 34;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** A record is a line of at most so many bytes: a quote that is never closed must not take all memory. */
const MOST_RECORD_BYTES = 16 * 2 ** 20;

interface Table {
  readonly file: RandomAccess;
  readonly columns: Columns;
  readonly first: number;
}

interface Columns {
  readonly width: number;
  readonly label: number;
  readonly features: readonly number[];
  readonly names: readonly string[] | undefined;
}

/**
 * Opens comma-separated values (RFC 4180): quotes, line ends of either kind and a byte-order mark are understood; empty
 * lines are left out.
 *
 * @param paths - files, or folders with `.csv` or `.csv.gz` files
 * @param data - the manifest's `task.data`
 * @throws DataError `data/folder-missing`, `data/no-records`, `data/bad-record`, `data/bad-label`, `data/bad-value`,
 * `data/unreadable`
 */
export async function openCsv(paths: readonly string[], data: DataOf<'csv'>): Promise<RecordSource> {
  const names = await dataFiles(paths, (name) => /\.csv(\.gz)?$/i.test(name), '.csv files');
  const size = inputSize(data);
  const readLabel = createLabelReader(data);
  const index = createIndexBuilder();
  const starts = createNumberList();
  const ends = createNumberList();
  const tables: Table[] = [];
  const input = new Float32Array(size);
  const { delimiter = ',' } = data;
  const options: Options = { bom: true, delimiter, skip_empty_lines: true };
  const close = (): void => {
    for (const { file } of tables) file.close();
  };

  const readFields = (fields: readonly string[], columns: Columns, into: Float32Array, at: number, where: string) => {
    columns.features.forEach((column, feature) => {
      const text = fields[column] ?? '';
      const told = (): string => `${where}, column ${columns.names?.[column] ?? column}`;
      into[at + feature] = readNumber(text.trim(), data.missing, told);
    });
  };

  const indexFile = async (file: RandomAccess): Promise<void> => {
    let table: Table | undefined;
    let previous = 0;
    const rows = parse({ ...options, info: true, max_record_size: MOST_RECORD_BYTES });
    const feed = pipeline(Readable.from(file.stream()), rows);
    // What it fails with, the rows below fail with too: there it is told.
    feed.catch(() => undefined);
    try {
      for await (const { record, info } of rows as AsyncIterable<{
        record: string[];
        info: { bytes: number; lines: number };
      }>) {
        const where = `${file.name}, line ${info.lines}`;
        const start = previous;
        previous = info.bytes;
        if (!table) {
          const columns = columnsOf(record, data, size, where);
          table = { file, columns, first: index.count };
          tables.push(table);
          if (columns.names) continue;
        }
        readFields(record, table.columns, input, 0, where);
        index.add(readLabel(record[table.columns.label], where), bytesOf(input));
        starts.push(start);
        ends.push(info.bytes);
      }
      await feed;
    } catch (cause) {
      rows.destroy();
      if (cause instanceof CsvError) throw broken(file.name, cause);
      throw cause;
    }
  };

  try {
    for (const name of names) {
      const file = await openRandomAccess(name);
      try {
        await indexFile(file);
      } catch (error) {
        file.close();
        throw error;
      }
    }
  } catch (error) {
    close();
    throw error;
  }

  const tableOf = (record: number): Table => tables.findLast(({ first }) => first <= record) as Table;
  const locate = (record: number): string => {
    const { file, first } = tableOf(record);
    return `${file.name}, record ${record - first}`;
  };
  const readRaw = (record: number): Uint8Array => {
    const start = starts.at(record);
    return trimmed(tableOf(record).file.read(start, ends.at(record) - start));
  };
  return {
    ...index.build(),
    files: names.length,
    locate,
    readInput: (record, into, at) => {
      const { columns, file } = tableOf(record);
      const line = Buffer.from(readRaw(record));
      let fields: readonly string[] | undefined;
      try {
        // Without quotes a line is what stands between delimiters: most are, and it is much faster.
        if (line.includes(QUOTE)) [fields] = parseNow(line, options) as string[][];
        else fields = line.toString().replace(BYTE_ORDER_MARK, '').split(delimiter);
      } catch (cause) {
        throw changed(file.name, cause);
      }
      if (fields?.length !== columns.width) throw changed(file.name);
      readFields(fields, columns, into, at, locate(record));
    },
    readRaw,
    close,
  };
}

function columnsOf(record: readonly string[], data: DataOf<'csv'>, size: number, where: string): Columns {
  const width = record.length;
  if (data.header ?? true) {
    const names = record.map((name) => name.trim());
    const find = (name: string): number => {
      const column = names.indexOf(name);
      if (column >= 0 && names.lastIndexOf(name) === column) return column;
      const what = column < 0 ? `there is no column "${name}"` : `two columns are called "${name}"`;
      throw new DataError(
        'data/bad-record',
        `${where}: ${what}, which the manifest asks for; the columns are ${names.slice(0, 20).join(', ')}`,
        { where, column: name },
      );
    };
    return { width, label: find(String(data.label)), features: (data.features ?? []).map(find), names };
  }
  const label = Number(data.label);
  const features = record.map((_, column) => column).filter((column) => column !== label);
  if (label >= width || features.length !== size) {
    throw new DataError(
      'data/bad-record',
      `${where}: it has ${width} columns; for the label in column ${label} and an input of ${size} numbers it must have ${size + 1}`,
      { where },
    );
  }
  return { width, label, features, names: undefined };
}

function broken(file: string, cause: CsvError): DataError {
  const line = typeof cause['lines'] === 'number' ? `, line ${cause['lines']}` : '';
  return new DataError(
    'data/bad-record',
    `${file}${line}: ${cause.message}; every line needs the same number of values, and quotes around one that holds the delimiter`,
    { file },
    cause,
  );
}

/** Without line ends around it: which of them a file has is no part of a record. */
function trimmed(bytes: Uint8Array): Uint8Array {
  const isEnd = (byte: number | undefined): boolean => byte === CARRIAGE_RETURN || byte === NEWLINE;
  let [start, end] = [0, bytes.length];
  while (start < end && isEnd(bytes[start])) start++;
  while (end > start && isEnd(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}
