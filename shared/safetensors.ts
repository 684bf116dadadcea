import { concatBytes, utf8 } from './bytes.ts';
import { canonicalJson, type Json } from './codec.ts';

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
