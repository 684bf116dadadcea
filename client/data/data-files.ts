import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './data-error.ts';
import { findFiles } from './directory-reader.ts';

/**
 * The files that a client means by its paths: a file is itself, a folder all wanted files below it in code-unit order of
 * their paths.
 *
 * @param paths - files and folders, in order
 * @param wanted - decides by a file's name
 * @param what - what is looked for, for the error
 * @throws DataError `data/folder-missing`, `data/no-records` where there is no such file
 */
export async function dataFiles(
  paths: readonly string[],
  wanted: (name: string) => boolean,
  what: string,
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isFile()) files.push(path);
      else files.push(...(await findFiles(path, wanted)).map((found) => join(path, found.path)));
    } catch (cause) {
      throw new DataError('data/folder-missing', `cannot read ${path}: check its path`, { folder: path }, cause);
    }
  }
  if (files.length > 0) return files;
  throw new DataError('data/no-records', `${paths.join(', ')} holds no ${what}: check the path of the data`, {
    paths: [...paths],
  });
}
