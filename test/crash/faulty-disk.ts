import files, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { die, isDoomed, reach } from './faults.ts';

// Every change of a file of the program under test is a boundary too: what is written, but not renamed or not synced.

type AnyFunction = (...args: never[]) => Promise<unknown>;

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.statement\.json/, 'statement'],
  [/\.signature/, 'signature'],
  [/\.receipt\.json/, 'receipt'],
  [/\.update/, 'signed update'],
  [/[/\\]uploads[/\\]/, 'part'],
  [/[/\\]blobs[/\\]/, 'blob'],
];

function kindOf(path: unknown): string | undefined {
  return typeof path === 'string' ? KINDS.find(([pattern]) => pattern.test(path))?.[1] : undefined;
}

/** Makes every change of a file under this process's `node:fs/promises` a point that can be reached. */
export function makeDiskFaulty(): void {
  for (const [name, at] of [
    ['rename', 1],
    ['link', 1],
    ['writeFile', 0],
  ] as const) {
    const real = files[name] as unknown as AnyFunction;
    const faulty = async (...args: never[]): Promise<unknown> => {
      const kind = kindOf(args[at]);
      if (kind !== undefined) await reach(`disk: ${name} of a ${kind} | before`);
      return real(...args);
    };
    Object.assign(files, { [name]: faulty });
  }
  const open = files.open;
  const faultyOpen: typeof open = async (path, ...rest) => {
    const handle = await open(path, ...rest);
    const kind = kindOf(path);
    if (kind !== undefined && rest[0] === 'wx') makeHandleFaulty(handle, kind);
    return handle;
  };
  Object.assign(files, { open: faultyOpen });
  syncBuiltinESMExports();
}

function makeHandleFaulty(handle: FileHandle, kind: string): void {
  const write = handle.writeFile.bind(handle);
  const writePiece = handle.write.bind(handle) as (data: Uint8Array, ...where: unknown[]) => Promise<unknown>;
  const sync = handle.sync.bind(handle);
  handle.writeFile = async (data, options) => {
    if (isDoomed(`disk: half of a ${kind} written | torn`)) {
      await write((data as Uint8Array).subarray(0, (data as Uint8Array).length >> 1));
      die();
    }
    await write(data, options);
  };
  const writeTorn = async (data: Uint8Array, ...where: unknown[]): Promise<unknown> => {
    if (isDoomed(`disk: half of a ${kind} written | torn`)) {
      await writePiece(data, 0, data.length >> 1);
      die();
    }
    return writePiece(data, ...where);
  };
  Object.assign(handle, { write: writeTorn });
  handle.sync = async () => {
    await reach(`disk: sync of a ${kind} | before`);
    await sync();
  };
}
