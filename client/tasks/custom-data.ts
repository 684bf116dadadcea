import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../shared/bytes.ts';
import { DataError } from '../data/data-error.ts';
import type { CommittedRecords } from '../data/dataset-commitment.ts';
import { findFiles } from '../data/directory-reader.ts';

/**
 * Files as records, for data whose form only its trainer knows: of each its SHA-256, its length and where it lies.
 *
 * @param paths - files and folders, whose order counts
 * @throws DataError `data/folder-missing`, `data/no-records`
 */
export async function fileRecords(paths: readonly string[]): Promise<CommittedRecords> {
  const lines: Uint8Array[] = [];
  for (const [index, path] of paths.entries()) {
    try {
      const isFile = (await stat(path)).isFile();
      const files = isFile ? [''] : (await findFiles(path, () => true)).map((found) => found.path);
      for (const name of files) {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const chunk of createReadStream(join(path, name))) {
          hash.update(chunk as Buffer);
          bytes += (chunk as Buffer).length;
        }
        lines.push(utf8(`${hash.digest('hex')} ${bytes} ${index}/${name}\n`));
      }
    } catch (cause) {
      throw new DataError('data/folder-missing', `cannot read ${path}: check its path`, { folder: path }, cause);
    }
  }
  if (lines.length > 0) return { count: lines.length, label: () => 0, raw: (index) => lines[index] as Uint8Array };
  throw new DataError('data/no-records', `${paths.join(', ')} holds no files: check the path of the data`, {
    paths: [...paths],
  });
}
