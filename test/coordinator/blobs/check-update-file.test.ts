import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkUpdateFile } from '../../../coordinator/blobs/check-update-file.ts';
import { toHex } from '../../../shared/bytes.ts';
import { updateTree } from '../../../shared/commitments/vector-trees.ts';
import { createRng } from '../../../shared/rng.ts';
import { temporaryFolder } from '../fixture.ts';

const MEBIBYTE = 2 ** 20;
const lengths = [128, 4096, 4224, MEBIBYTE - 128, MEBIBYTE, MEBIBYTE + 128, 2 * MEBIBYTE, 3 * MEBIBYTE + 4096];

async function stored(length: number) {
  const rng = createRng(length, 'bytes');
  const bytes = Uint8Array.from({ length }, () => rng.below(256));
  const path = join(await temporaryFolder(), 'update');
  await writeFile(path, bytes);
  return { path, bytes, id: toHex(updateTree(bytes).root) };
}

describe('checkUpdateFile', () => {
  it.each(lengths)('finds an update of %i bytes sound by the root of its whole tree', async (length) => {
    const { path, id } = await stored(length);
    expect(await checkUpdateFile(path, id, length)).toBe('sound');
  });

  it.each(lengths)('finds any one bit that flipped in %i bytes', async (length) => {
    const { path, bytes, id } = await stored(length);
    for (const at of [0, length - 1, Math.floor(length / 2)]) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ 1;
      await writeFile(path, flipped);
      expect(await checkUpdateFile(path, id, length)).toBe('damaged');
    }
  });

  it('finds a file that is missing, shorter or longer', async () => {
    const { path, bytes, id } = await stored(MEBIBYTE + 128);
    expect(await checkUpdateFile(`${path}s`, id, bytes.length)).toBe('missing');
    await truncate(path, MEBIBYTE);
    expect(await checkUpdateFile(path, id, bytes.length)).toBe('damaged');
    await writeFile(path, Uint8Array.from([...bytes, 0]));
    expect(await checkUpdateFile(path, id, bytes.length)).toBe('damaged');
    await writeFile(path, new Uint8Array());
    expect(await checkUpdateFile(path, id, bytes.length)).toBe('damaged');
  });

  it('passes on why a file cannot be asked for', async () => {
    const { path, id } = await stored(128);
    await expect(checkUpdateFile(join(path, 'below'), id, 128)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
