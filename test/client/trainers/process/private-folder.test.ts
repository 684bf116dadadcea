import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPrivateFolder } from '../../../../client/trainers/process/private-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'fedanchor-parent-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** A folder as a client leaves it behind that is killed. */
async function leave(name: string, owner: unknown, mode = 0o700): Promise<string> {
  const path = join(parent, `fedanchor-trainer-${name}`);
  await mkdir(path);
  await writeFile(join(path, '.owner.json'), JSON.stringify(owner));
  await chmod(path, mode);
  return path;
}

describe('openPrivateFolder', () => {
  it('lets nobody else in', async () => {
    const { path, remove } = await openPrivateFolder(parent);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it('is emptied but for whose it is', async () => {
    const { path, empty, remove } = await openPrivateFolder(parent);
    await mkdir(join(path, 'cache'));
    await writeFile(join(path, 'cache', 'file'), '');
    await empty();
    expect(await readdir(path)).toEqual(['.owner.json']);
    await remove();
  });

  it('removes what a client that was killed left behind, and keeps what is in use', async () => {
    await leave('killed', { pid: 2 ** 22 + 1, start: 'then', mark: 'none' });
    // A later process has the number of the one that is gone.
    await leave('reused', { pid: process.pid, start: 'then', mark: 'none' });
    const inUse = await openPrivateFolder(parent);
    const { path, remove } = await openPrivateFolder(parent);
    expect((await readdir(parent)).sort()).toEqual(
      [path, inUse.path].map((each) => each.slice(parent.length + 1)).sort(),
    );
    await remove();
    await inUse.remove();
  });

  it('touches nothing that is not its own', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'fedanchor-elsewhere-'));
    await writeFile(join(elsewhere, '.owner.json'), JSON.stringify({ pid: 2 ** 22 + 1, start: 'then', mark: '' }));
    await symlink(elsewhere, join(parent, 'fedanchor-trainer-link'));
    await leave('open', { pid: 2 ** 22 + 1, start: 'then', mark: '' }, 0o755);
    await mkdir(join(parent, 'fedanchor-trainer-new'), { mode: 0o700 });
    await writeFile(join(parent, 'fedanchor-trainer-file'), '');
    const before = (await readdir(parent)).sort();
    const { remove } = await openPrivateFolder(parent);
    await remove();
    expect((await readdir(parent)).sort()).toEqual(before);
    expect(await readdir(elsewhere)).toEqual(['.owner.json']);
    await rm(elsewhere, { recursive: true });
  });

  it.runIf(process.platform === 'linux')('ends the processes that still work in what was left behind', async () => {
    const mark = 'a-mark-of-this-test';
    const env = { ...process.env, FEDANCHOR_TRAINER_MARK: mark };
    const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env, stdio: 'ignore' });
    const ended = once(orphan, 'exit');
    await once(orphan, 'spawn');
    await leave('killed', { pid: 2 ** 22 + 1, start: 'then', mark });
    const { remove } = await openPrivateFolder(parent);
    expect(await ended).toEqual([null, 'SIGKILL']);
    await remove();
  });
});
