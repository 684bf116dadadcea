import { type DataOf, inputSize } from './classification-data.ts';
import { DataError } from './data-error.ts';
import { dataFiles } from './data-files.ts';
import { createLabelReader } from './label-reader.ts';
import { changed, openRandomAccess, type RandomAccess } from './random-access.ts';
import { readNumber } from './read-number.ts';
import { bytesOf, createIndexBuilder, createNumberList, type RecordSource } from './record-source.ts';

const NEWLINE = 10;
const MOST_LINE_BYTES = 16 * 2 ** 20;
const BYTE_ORDER_MARK = '\uFEFF';

interface Lines {
  readonly file: RandomAccess;
  readonly first: number;
}

/**
 * Opens newline-delimited JSON: one object a line, in UTF-8; empty lines are left out.
 *
 * @param paths - files, or folders with `.ndjson` or `.jsonl` files, plain or `.gz`
 * @param data - the manifest's `task.data`
 * @throws DataError `data/folder-missing`, `data/no-records`, `data/bad-record`, `data/bad-label`, `data/bad-value`,
 * `data/unreadable`
 */
export async function openNdjson(paths: readonly string[], data: DataOf<'ndjson'>): Promise<RecordSource> {
  const names = await dataFiles(paths, (name) => /\.(ndjson|jsonl)(\.gz)?$/i.test(name), '.ndjson or .jsonl files');
  const size = inputSize(data);
  const readLabel = createLabelReader(data);
  const index = createIndexBuilder();
  const starts = createNumberList();
  const lengths = createNumberList();
  const files: Lines[] = [];
  const input = new Float32Array(size);
  const close = (): void => {
    for (const { file } of files) file.close();
  };

  const readObject = (line: Uint8Array, where: string): Record<string, unknown> => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
      const value: unknown = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch (cause) {
      throw broken(where, `it is no JSON (${(cause as Error).message})`, cause);
    }
    throw broken(where, 'it is no JSON object');
  };
  const readFeatures = (record: Record<string, unknown>, into: Float32Array, at: number, where: string): void => {
    const { features, missing } = data;
    if (Array.isArray(features)) {
      features.forEach((name, feature) => {
        into[at + feature] = readNumber(own(record, name), missing, () => `${where}, field ${name}`);
      });
      return;
    }
    const values = flatten(own(record, features), data.inputShape, where, features);
    values.forEach((value, feature) => {
      into[at + feature] = readNumber(value, missing, () => `${where}, field ${features}, number ${feature}`);
    });
  };

  try {
    for (const name of names) {
      const file = await openRandomAccess(name);
      files.push({ file, first: index.count });
      let number = 0;
      for await (const { start, line } of linesOf(file)) {
        number++;
        if (line.every((byte) => byte === 32 || byte === 13 || byte === 9)) continue;
        const where = `${name}, line ${number}`;
        const record = readObject(line, where);
        readFeatures(record, input, 0, where);
        index.add(readLabel(own(record, data.label), where), bytesOf(input));
        starts.push(start);
        lengths.push(line.at(-1) === 13 ? line.length - 1 : line.length);
      }
    }
  } catch (error) {
    close();
    throw error;
  }

  const fileOf = (record: number): Lines => files.findLast(({ first }) => first <= record) as Lines;
  const locate = (record: number): string => {
    const { file, first } = fileOf(record);
    return `${file.name}, record ${record - first}`;
  };
  const readRaw = (record: number): Uint8Array => fileOf(record).file.read(starts.at(record), lengths.at(record));
  return {
    ...index.build(),
    files: names.length,
    locate,
    readInput: (record, into, at) => {
      const where = locate(record);
      try {
        readFeatures(readObject(readRaw(record), where), into, at, where);
      } catch (cause) {
        throw changed(fileOf(record).file.name, cause);
      }
    },
    readRaw,
    close,
  };
}

async function* linesOf(file: RandomAccess): AsyncIterable<{ readonly start: number; readonly line: Uint8Array }> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let start = 0;
  for await (const piece of file.stream()) {
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...pieces, piece.subarray(from, end)]);
      yield { start, line };
      start += line.length + 1;
      pieces = [];
      held = 0;
      from = end + 1;
    }
    pieces.push(piece.subarray(from));
    held += piece.length - from;
    if (held > MOST_LINE_BYTES) throw broken(file.name, `a line is longer than ${MOST_LINE_BYTES} bytes`);
  }
  if (held > 0) yield { start, line: Buffer.concat(pieces) };
}

/** What an array of arrays of the input's shape, or one flat array, holds. */
function flatten(value: unknown, shape: readonly number[], where: string, field: string): unknown[] {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (Array.isArray(value) && value.length === size && !Array.isArray(value[0])) return value;
  const visit = (inner: unknown, axis: number): unknown[] => {
    if (axis === shape.length) return [inner];
    if (!Array.isArray(inner) || inner.length !== shape[axis]) {
      throw broken(where, `field ${field} is not an array of shape [${shape}], nor a flat one of ${size} numbers`);
    }
    return inner.flatMap((each) => visit(each, axis + 1));
  };
  return visit(value, 0);
}

/** Names such as `__proto__` are fields like others, if they are there at all. */
function own(record: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function broken(where: string, why: string, cause?: unknown): DataError {
  return new DataError(
    'data/bad-record',
    `${where}: ${why}; each line must be one object with the fields that the manifest names`,
    { where },
    cause,
  );
}
