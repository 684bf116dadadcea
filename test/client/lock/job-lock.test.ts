import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLeftover, lockHolder, lockJob } from '../../../client/lock/job-lock.ts';
import { isRunning, processMark } from '../../../client/lock/process-mark.ts';
import { temporaryFolder } from '../../coordinator/fixture.ts';

async function lockFile(): Promise<string> {
  return join(await temporaryFolder(), 'inner', 'job.lock');
}

/** The mark of a process that is gone. */
async function goneProcess(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return JSON.stringify({ pid: child.pid, startedAt: '1' });
}

describe('lockJob', () => {
  it('is held by one process until it is given free', async () => {
    const file = await lockFile();
    const unlock = await lockJob(file);
    await expect(lockJob(file)).rejects.toMatchObject({ code: 'lock/held', data: { file, pid: process.pid } });
    expect(await lockHolder(file)).toEqual(await processMark());
    await unlock();
    expect(await readdir(dirname(file))).toEqual([]);
    await (await lockJob(file))();
  });

  it('goes to one of many that want it at once', async () => {
    const file = await lockFile();
    await mkdir(dirname(file));
    await writeFile(file, await goneProcess());
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockJob(file)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(dirname(file))).toEqual(['job.lock']);
  });

  it.each([
    ['that is gone', goneProcess],
    ['whose number is another’s now', async () => JSON.stringify({ pid: process.pid, startedAt: 'earlier' })],
    ['that never finished to write', async () => '{"pid":'],
  ])('replaces what a process has left %s', async (_, left) => {
    const file = await lockFile();
    await mkdir(dirname(file));
    await writeFile(file, await left());
    expect(await isLeftover(file)).toBe(true);
    const unlock = await lockJob(file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(await processMark());
    expect(await isLeftover(file)).toBe(false);
    await unlock();
  });

  it('leaves the lock of another that has taken its place', async () => {
    const file = await lockFile();
    const unlock = await lockJob(file);
    const other = JSON.stringify({ pid: 1, startedAt: 'x' });
    await writeFile(file, other);
    await unlock();
    expect(await readFile(file, 'utf8')).toBe(other);
  });

  it('tells processes apart', async () => {
    const mine = await processMark();
    expect(await isRunning(mine)).toBe(true);
    expect(await isRunning({ ...mine, startedAt: `${mine.startedAt}0` })).toBe(false);
    expect(await isRunning({ pid: 2 ** 30, startedAt: '' })).toBe(false);
  });
});
