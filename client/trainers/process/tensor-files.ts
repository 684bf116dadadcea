import { constants } from 'node:fs';
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FedanchorError } from '../../../shared/errors.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../../shared/safetensors.ts';
import type { TensorShape } from './messages.ts';
import { ProcessTrainerError } from './process-error.ts';

/** A plain name: no folder in it, not hidden. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/** Room for a file's header: its length, and of each tensor name, shape and place. */
const HEADER_BYTES = { fixed: 65_536, perTensor: 4_096 };

/**
 * Writes tensors as a safetensors file that nobody else may read.
 *
 * @param folder - where
 * @param name - the file's name
 * @param tensors - names and shapes
 * @param values - one array per tensor, row-major
 */
export async function writeTensors(
  folder: string,
  name: string,
  tensors: readonly TensorShape[],
  values: readonly Float32Array[],
): Promise<void> {
  const named = tensors.map((tensor, index) => ({ ...tensor, values: values[index] as Float32Array }));
  await writeFile(join(folder, name), encodeSafetensors(named), { mode: 0o600 });
}

/**
 * Reads the file that a program says holds its update, and removes it.
 *
 * @param folder - the private folder
 * @param name - the name that the program gave, which nothing is known about
 * @param tensors - names and shapes that it must hold, in any order
 * @returns one array per tensor, in the order of `tensors`
 * @throws ProcessTrainerError `trainer/process-bad-file`, `-too-large`, `-bad-tensors`, `-not-finite`
 */
export async function readTensors(
  folder: string,
  name: string,
  tensors: readonly TensorShape[],
): Promise<Float32Array[]> {
  if (!PLAIN_NAME.test(name)) {
    throw badFile('is none in its folder: give a plain name without a path, made of letters, digits, ".", "_" and "-"');
  }
  const path = join(folder, name);
  const bytes = await readRegularFile(path, mostBytes(tensors));
  await rm(path, { force: true });
  return inOrder(decode(bytes), tensors);
}

function mostBytes(tensors: readonly TensorShape[]): number {
  const values = tensors.reduce((sum, { shape }) => sum + 4 * shape.reduce((product, size) => product * size, 1), 0);
  return values + HEADER_BYTES.fixed + HEADER_BYTES.perTensor * tensors.length;
}

async function readRegularFile(path: string, most: number): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    // A link is not followed, and what blocks, such as a pipe, is not waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const isLink = (cause as NodeJS.ErrnoException).code === 'ELOOP';
    throw badFile(
      isLink ? 'is a link: write the file itself' : 'cannot be opened: write it before telling of it',
      cause,
    );
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw badFile('is no regular file: write one');
    if (found.size > most) {
      throw new ProcessTrainerError(
        'trainer/process-too-large',
        `the trainer's update has ${found.size} bytes, its tensors take ${most} at most: write the manifest's tensors as F32 and nothing else`,
        { bytes: found.size, most },
      );
    }
    // No more than was there when it was measured, should it still grow.
    const bytes = Buffer.alloc(found.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array): NamedTensor[] {
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    if (!(cause instanceof FedanchorError)) throw cause;
    throw badTensors(cause.message, {}, cause);
  }
}

function inOrder(found: readonly NamedTensor[], tensors: readonly TensorShape[]): Float32Array[] {
  const byName = new Map(found.map((tensor) => [tensor.name, tensor]));
  const values = tensors.map(({ name, shape }) => {
    const tensor = byName.get(name);
    if (!tensor) throw badTensors(`it lacks "${name}"`, { tensor: name });
    if (tensor.shape.join() !== shape.join()) {
      throw badTensors(`"${name}" has the shape [${tensor.shape}], the manifest's is [${shape}]`, { tensor: name });
    }
    byName.delete(name);
    if (!tensor.values.every(Number.isFinite)) {
      throw new ProcessTrainerError(
        'trainer/process-not-finite',
        `the trainer's update holds a value in "${name}" that is not finite: lower the learning rate or clip gradients`,
        { tensor: name },
      );
    }
    return tensor.values;
  });
  if (byName.size > 0) throw badTensors(`it holds ${byName.size} that the manifest does not list`, {});
  return values;
}

function badFile(why: string, cause?: unknown): ProcessTrainerError {
  return new ProcessTrainerError('trainer/process-bad-file', `the file of the trainer's update ${why}`, {}, cause);
}

function badTensors(what: string, data: Readonly<Record<string, unknown>>, cause?: unknown): ProcessTrainerError {
  return new ProcessTrainerError(
    'trainer/process-bad-tensors',
    `the trainer's update is not made of the manifest's tensors: ${what}`,
    data,
    cause,
  );
}
