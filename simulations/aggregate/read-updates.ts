import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { decodeSafetensors, type NamedTensor } from '../../shared/safetensors.ts';
import { AggregateFileError } from './aggregate-file-error.ts';

/** Updates as a file holds them. */
export interface UpdatesFile {
  /** n vectors. */
  readonly updates: readonly ArrayLike<number>[];
  /** Names of n tensors, null where the file has one matrix. */
  readonly names: readonly string[] | null;
}

/**
 * Reads updates from a file: `.safetensors` with one float32 tensor whose first dimension counts the updates, or with one
 * tensor an update, in the order in which they lie in the file; or `.json` with `{ "input": [[…], …] }`.
 *
 * @throws AggregateFileError `aggregate/unknown-format`, `aggregate/unreadable`, `aggregate/bad-input`
 * @throws SafetensorsError `safetensors/invalid`
 */
export async function readUpdates(path: string): Promise<UpdatesFile> {
  const format = formatOf('--input', path);
  const bytes = await readBytes(path);
  if (format === '.json') return { updates: updatesOfJson(path, bytes), names: null };
  const tensors = decodeSafetensors(bytes);
  const [only] = tensors;
  if (only === undefined) throw badInput(path, 'it holds no tensor');
  if (tensors.length > 1 || only.shape.length < 2) {
    return { updates: tensors.map(({ values }) => values), names: tensors.map(({ name }) => name) };
  }
  return { updates: rowsOf(path, only), names: null };
}

/**
 * The format that a file's name asks for.
 *
 * @param option - which option named the file, for the message
 * @throws AggregateFileError `aggregate/unknown-format`
 */
export function formatOf(option: string, path: string): '.json' | '.safetensors' {
  const extension = extname(path).toLowerCase();
  if (extension === '.json' || extension === '.safetensors') return extension;
  const sentence = `${option} ${path}: name a .safetensors or a .json file`;
  throw new AggregateFileError('aggregate/unknown-format', sentence, { option, path });
}

function rowsOf(path: string, { name, shape, values }: NamedTensor): Float32Array[] {
  const n = shape[0] as number;
  if (n === 0 || values.length === 0) throw badInput(path, `tensor "${name}" of shape [${shape.join(', ')}] is empty`);
  const dimension = values.length / n;
  return Array.from({ length: n }, (_, i) => values.subarray(i * dimension, (i + 1) * dimension));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const sentence = `--input ${path} cannot be read: ${(cause as Error).message}`;
    throw new AggregateFileError('aggregate/unreadable', sentence, { path }, cause);
  }
}

function updatesOfJson(path: string, bytes: Uint8Array): number[][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw badInput(path, 'it is not JSON');
  }
  const input = (parsed as { readonly input?: unknown } | null)?.input;
  if (!Array.isArray(input)) throw badInput(path, 'it has no "input": write { "input": [[…], …] }, one list an update');
  return input.map((row: unknown, i) => {
    if (!Array.isArray(row)) throw badInput(path, `input[${i}] is not a list of numbers`);
    const odd = row.findIndex((value) => typeof value !== 'number');
    if (odd >= 0)
      throw badInput(path, `input[${i}][${odd}] is ${JSON.stringify(row[odd])}: only finite numbers are taken`);
    return row as number[];
  });
}

function badInput(path: string, what: string): AggregateFileError {
  return new AggregateFileError('aggregate/bad-input', `--input ${path}: ${what}`, { path });
}
