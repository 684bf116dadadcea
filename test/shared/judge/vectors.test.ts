import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../contracts/package-root.ts';
import { judgeVectors } from './vectors.ts';

const FOLDER = join(packageRoot(), 'test', 'vectors', 'coordinate');

// The contracts' tests read the same files, so the reference and the chain agree bit for bit as long as both pass.
describe('the vectors shared with the contracts', () => {
  it.each(Object.entries(judgeVectors()))('%s.json is what the reference gives', async (name, vectors) => {
    const file = join(FOLDER, `${name}.json`);
    if (process.env['FEDANCHOR_UPDATE_VECTORS'] === '1') {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, `${JSON.stringify(vectors, null, 1)}\n`);
    }
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(vectors);
  });
});
