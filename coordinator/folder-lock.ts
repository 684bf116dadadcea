import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FedanchorError } from '../shared/errors.ts';

/** Thrown when another coordinator works in the folder. */
export class FolderLockError extends FedanchorError<'coordinator/folder-in-use'> {}

const FILE = 'coordinator.pid';

/**
 * Makes sure that one coordinator at a time works in a folder: the file holds the id of the process that does. One left
 * behind by a process that was killed is replaced.
 *
 * @returns gives the folder free again
 * @throws FolderLockError `coordinator/folder-in-use`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, FILE);
  for (;;) {
    try {
      // Created exclusively: of two that start at once, one fails here.
      const file = await open(path, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (isRunning(holder)) {
      throw new FolderLockError(
        'coordinator/folder-in-use',
        `process ${holder} runs a coordinator in ${folder}: stop it first, or remove ${path} if it is something else`,
        { folder, holder },
      );
    }
    await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
