import { join } from 'node:path';
import { DataError } from './data-error.ts';
import { compareCodeUnits, type DirectoryReader, readDirectory } from './directory-reader.ts';
import type { ClientText } from './package-assignment.ts';

/**
 * Gives each sub-folder of a folder to one client, in code-unit order of their names; hidden ones are left out.
 *
 * @param dataFolder - a folder of folders of text
 * @param reader - lists one folder
 * @returns one entry per sub-folder
 * @throws DataError `data/folder-missing`, `data/no-client-folders`
 */
export async function assignFolders(
  dataFolder: string,
  reader: DirectoryReader = readDirectory,
): Promise<ClientText[]> {
  const entries = await reader(dataFolder).catch((cause: unknown) => {
    throw new DataError(
      'data/folder-missing',
      `cannot read the data folder ${dataFolder}: check its path`,
      { folder: dataFolder },
      cause,
    );
  });
  const names = entries
    .filter((entry) => entry.kind === 'folder' && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort(compareCodeUnits);
  if (names.length === 0) {
    throw new DataError(
      'data/no-client-folders',
      `the data folder ${dataFolder} has no sub-folders: make one for each client and put its text files there`,
      { folder: dataFolder },
    );
  }
  return names.map((name) => ({ names: [name], folders: [join(dataFolder, name)] }));
}
