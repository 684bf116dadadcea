import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One entry of a directory. */
export interface DirectoryEntry {
  /** The entry's own name, without its folder. */
  readonly name: string;
  /** What it is; links and devices are `other`. */
  readonly kind: 'file' | 'folder' | 'other';
}

/** Lists a folder, in any order; rejects when the folder cannot be read. */
export type DirectoryReader = (folder: string) => Promise<readonly DirectoryEntry[]>;

/** A file found below a folder. */
export interface FoundFile {
  /** Path below the folder, with `/` between its parts on every platform. */
  readonly path: string;
  /** Size in bytes. */
  readonly bytes: number;
}

/** Lists a folder of the machine's own file system. */
export const readDirectory: DirectoryReader = async (folder) =>
  (await readdir(folder, { withFileTypes: true })).map((entry) => ({
    name: entry.name,
    kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other',
  }));

/** Compares two texts by UTF-16 code unit: the same order under every locale. */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Finds files below a folder, recursively, in code-unit order of their paths whatever order the file system lists them
 * in. Links are not followed; folders called `node_modules` and those whose names begin with a dot are not entered.
 *
 * @param folder - where to look
 * @param wanted - decides by a file's name
 * @param reader - lists one folder
 */
export async function findFiles(
  folder: string,
  wanted: (name: string) => boolean,
  reader: DirectoryReader = readDirectory,
): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const entry of await reader(join(folder, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.kind === 'folder' && entry.name !== 'node_modules' && !entry.name.startsWith('.')) await visit(path);
      if (entry.kind === 'file' && wanted(entry.name)) {
        found.push({ path, bytes: (await stat(join(folder, path))).size });
      }
    }
  };
  await visit('');
  return found.sort((a, b) => compareCodeUnits(a.path, b.path));
}
