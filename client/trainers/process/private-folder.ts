import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killMarked, startOf } from './process-tree.ts';

const PREFIX = 'fedanchor-trainer-';

/** Says in a folder whose it is. */
const OWNER_FILE = '.owner.json';

/** A folder for one trainer's tensors. */
export interface PrivateFolder {
  /** Its absolute path; only its owner may enter. */
  readonly path: string;
  /** What the processes that work in it carry in their environment. */
  readonly mark: string;
  /** Removes all that is in it. */
  empty(): Promise<void>;
  /** Removes it with all that is in it. */
  remove(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly start: string;
  readonly mark: string;
}

/**
 * Makes a private folder (0700), and removes those that clients left behind that did not come to their own end, with the
 * processes that still work in them.
 *
 * @param parent - where; default the system's folder for temporary files
 */
export async function openPrivateFolder(parent: string = tmpdir()): Promise<PrivateFolder> {
  await removeStale(parent);
  const path = await mkdtemp(join(parent, PREFIX));
  await chmod(path, 0o700);
  const mark = randomBytes(16).toString('hex');
  const owner: Owner = { pid: process.pid, start: await startOf(process.pid), mark };
  await writeFile(join(path, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
  const atExit = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', atExit);
  return {
    path,
    mark,
    empty: async () => {
      for (const name of await readdir(path)) {
        if (name !== OWNER_FILE) await rm(join(path, name), { recursive: true, force: true });
      }
    },
    remove: async () => {
      process.removeListener('exit', atExit);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    try {
      const { uid, mode } = await lstat(path);
      const isFolder = (mode & 0o170_000) === 0o040_000;
      // Anyone may write into the system's folder: what is not this user's own private folder is none of its business.
      if (!isFolder || uid !== process.getuid?.() || (mode & 0o077) !== 0) continue;
      const owner = JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')) as Owner;
      if ((await startOf(owner.pid)) === owner.start) continue;
      await killMarked(owner.mark);
      await rm(path, { recursive: true, force: true });
    } catch {
      // It is being made or removed by its owner just now, or holds something else.
    }
  }
}
