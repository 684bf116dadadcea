import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { levelGround } from '../../../simulations/bench/level-ground.ts';

test('levelling the ground writes what it is told and leaves nothing, also where it cannot write', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-ground-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await levelGround(folder, 3 * 2 ** 20);
  await levelGround(folder, 0);
  expect(await readdir(folder)).toEqual([]);
  await expect(levelGround(join(folder, 'missing'), 1)).rejects.toThrow('ENOENT');
});
