import { concatBytes, utf8 } from './bytes.ts';
import { canonicalJson, type Json } from './codec.ts';
import { FedanchorError } from './errors.ts';

/** One float32 tensor to be written. */
export interface NamedTensor {
  /** Name, unique in the file. */
  readonly name: string;
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Values in row-major order. */
  readonly values: Float32Array;
}

/**
 * Writes float32 tensors in the safetensors format: the header's length as 8 little-endian bytes, a JSON header padded
 * with spaces to a multiple of 8, then the values.
 *
 * @param tensors - in the order they are to lie in the file
 * @param metadata - free text by key
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, Json> = { __metadata__: { ...metadata } };
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = canonicalJson(header);
  const padded = utf8(json.padEnd(Math.ceil(utf8(json).length / 8) * 8 - utf8(json).length + json.length));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concatBytes(
    length,
    padded,
    ...tensors.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );
}

/** Thrown when bytes are not float32 tensors in the safetensors format. */
export class SafetensorsError extends FedanchorError<'safetensors/invalid'> {}

/** Header of a file, at most: ten thousand tensors fit many times over. */
const MOST_HEADER_BYTES = 100_000_000;

/**
 * Reads float32 tensors in the safetensors format.
 *
 * @param bytes - the whole file
 * @returns the tensors in the order in which they lie in the file
 * @throws SafetensorsError `safetensors/invalid`: cut short, another type of number, gaps or overlaps
 */
export function decodeSafetensors(bytes: Uint8Array): NamedTensor[] {
  if (bytes.length < 8) throw invalid('it has no header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MOST_HEADER_BYTES || Number(length) + 8 > bytes.length) throw invalid('its header is cut short');
  const start = 8 + Number(length);
  const entries = Object.entries(readHeader(bytes.subarray(8, start))).filter(([name]) => name !== '__metadata__');
  const tensors = entries
    .map(([name, entry]) => readEntry(name, entry))
    // A tensor without values begins where the next one does.
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  const decoded = tensors.map(({ name, shape, begin, end: next }) => {
    if (begin !== end) throw invalid(`tensor "${name}" does not begin where the one before it ends`);
    if (start + next > bytes.length) throw invalid('its values are cut short');
    end = next;
    // Copied, since values need not lie at a multiple of four bytes; little-endian as every platform of this program.
    return {
      name,
      shape,
      values: new Float32Array(Uint8Array.from(bytes.subarray(start + begin, start + next)).buffer),
    };
  });
  if (start + end !== bytes.length) throw invalid('something follows its values');
  return decoded;
}

interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readHeader(json: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch {
    // Said below.
  }
  throw invalid('its header is not JSON');
}

function readEntry(name: string, entry: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (dtype !== 'F32') throw invalid(`tensor "${name}" holds ${String(dtype)}: convert it to F32`);
  const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isWhole)) throw invalid(`tensor "${name}" has no valid shape`);
  const [begin, end] = Array.isArray(offsets) ? (offsets as unknown[]) : [];
  const size = shape.reduce((product: number, each: number) => product * each, 4);
  if (!isWhole(begin) || !isWhole(end) || end - begin !== size) {
    throw invalid(`tensor "${name}" of shape [${shape.join(', ')}] has ${size} bytes, its place has not`);
  }
  return { name, shape, begin, end };
}

function invalid(what: string): SafetensorsError {
  return new SafetensorsError('safetensors/invalid', `this is no safetensors file of float32 tensors: ${what}`);
}
