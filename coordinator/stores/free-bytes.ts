import { statfs } from 'node:fs/promises';

/** With more than this free, what is written within {@link TRUSTED_MS} fills no disk. */
const PLENTY_BYTES = 4 * 2 ** 30;

/** How long an answer of plenty is taken for true, in milliseconds. */
const TRUSTED_MS = 100;

/**
 * Creates a way to ask for the free bytes of a folder's file system. It is asked before every write: where there is
 * plenty, an answer holds for a moment, for all who ask in it; where there is not, each one asks anew.
 *
 * @param ask - asks the file system
 * @param nowMs - milliseconds by a clock that nobody sets
 */
export function createFreeBytes(
  ask: (folder: string) => Promise<number> = askFileSystem,
  nowMs: () => number = () => performance.now(),
): (folder: string) => Promise<number> {
  const answers = new Map<string, { readonly bytes: number; readonly untilMs: number }>();
  return async (folder) => {
    const known = answers.get(folder);
    if (known && nowMs() < known.untilMs) return known.bytes;
    const bytes = await ask(folder);
    if (bytes > PLENTY_BYTES) answers.set(folder, { bytes, untilMs: nowMs() + TRUSTED_MS });
    else answers.delete(folder);
    return bytes;
  };
}

async function askFileSystem(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
