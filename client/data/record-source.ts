import { createHash } from 'node:crypto';

/** Labelled records of one format, of which only an index is in memory: each is read where it lies when it is asked for. */
export interface RecordSource {
  /** The class of each record. */
  readonly labels: Int32Array;
  /** 48 bits of the SHA-256 of each record's input: equal inputs have equal keys. */
  readonly keys: Float64Array;
  /** The first record that is held out, where the data says so itself. */
  readonly heldOutFrom?: number;
  /** Files it is read from. */
  readonly files: number;
  /** Where a record stands, for people. */
  locate(index: number): string;
  /**
   * Reads a record's input, unscaled.
   *
   * @param index - 0 <= index < labels.length
   * @param into - takes the input's numbers in row-major order
   * @param at - where in it they begin
   * @throws DataError `data/changed`, and for what is only seen when it is read `data/bad-image`
   */
  readInput(index: number, into: Float32Array, at: number): void;
  /** The record's bytes as they stand in its file, without what separates records. Throws DataError `data/changed`. */
  readRaw(index: number): Uint8Array;
  /** Closes files. */
  close(): void;
}

/** Collects what a source keeps of each record. */
export interface IndexBuilder {
  /** Records so far. */
  readonly count: number;
  /**
   * Adds a record.
   *
   * @param label - its class
   * @param input - bytes that are equal for equal inputs
   */
  add(label: number, input: Uint8Array): void;
  /** What was collected. */
  build(): Pick<RecordSource, 'labels' | 'keys'>;
}

const FIRST_CAPACITY = 1_024;

/** Creates an empty index, which takes 12 bytes a record and up to twice that while it grows. */
export function createIndexBuilder(): IndexBuilder {
  let labels = new Int32Array(FIRST_CAPACITY);
  let keys = new Float64Array(FIRST_CAPACITY);
  let count = 0;
  return {
    get count() {
      return count;
    },
    add: (label, input) => {
      if (count === labels.length) {
        labels = grown(labels, new Int32Array(2 * count));
        keys = grown(keys, new Float64Array(2 * count));
      }
      labels[count] = label;
      keys[count] = createHash('sha256').update(input).digest().readUIntBE(0, 6);
      count++;
    },
    build: () => ({ labels: labels.slice(0, count), keys: keys.slice(0, count) }),
  };
}

/** A list of numbers that grows, 8 bytes each. */
export interface NumberList {
  /** Numbers so far. */
  readonly length: number;
  /** Adds one. */
  push(value: number): void;
  /** The one at an index. */
  at(index: number): number;
}

/** Creates an empty list. */
export function createNumberList(): NumberList {
  let values = new Float64Array(FIRST_CAPACITY);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push: (value) => {
      if (length === values.length) values = grown(values, new Float64Array(2 * length));
      values[length++] = value;
    },
    at: (index) => values[index] ?? 0,
  };
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The bytes of numbers, for a key. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
