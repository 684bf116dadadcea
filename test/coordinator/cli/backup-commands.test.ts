import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerCoordinatorCommands } from '../../../coordinator/cli.ts';
import { prepareJob } from '../../../coordinator/job-folder.ts';
import { holdJob } from '../../../coordinator/job-shelf.ts';
import { openLmdbStores } from '../../../coordinator/stores/lmdb-store.ts';
import { crashJob } from '../../crash/crash-job.ts';
import { hash, temporaryFolder } from '../fixture.ts';

let said: string[];
beforeEach(() => {
  said = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

/** Runs `fedanchor job …` as the command line would; returns what it printed. */
async function job(...args: string[]): Promise<string> {
  said = [];
  const program = new Command('fedanchor');
  registerCoordinatorCommands(program);
  await program.parseAsync(['node', 'fedanchor', 'job', ...args]);
  return said.join('');
}

/** A coordinator's folder with a job that was created and is not started. */
async function coordinatorFolder() {
  const folder = await temporaryFolder();
  const { draft, model } = crashJob(2);
  const prepared = prepareJob(folder, draft, model);
  const address = hash('contract').slice(0, 42) as `0x${string}`;
  await prepared.commit({ token: address, anchor: address, vault: address });
  await holdJob(prepared.folder);
  await openLmdbStores(join(prepared.folder, 'store')).close();
  return { folder, id: prepared.terms.job, path: prepared.folder };
}

describe('fedanchor job backup and restore', () => {
  it('bring a job to another coordinator’s folder, held as it was', async () => {
    const { folder, id, path } = await coordinatorFolder();
    const [out, other] = [join(await temporaryFolder(), 'backup'), await temporaryFolder()];
    const report = JSON.parse(await job('backup', 'crash matrix', '--dir', folder, '--out', out, '--json')) as object;
    expect(report).toEqual({ job: id, events: 0, blobs: 2, folder: out });
    expect(await job('restore', out, '--dir', other)).toContain(`job ${id.slice(0, 12)} is restored to`);
    const restored = join(other, 'jobs', id.slice(2));
    for (const name of ['manifest.json', 'contracts.json', 'seed-secret', 'held']) {
      expect(await readFile(join(restored, name))).toEqual(await readFile(join(path, name)));
    }
    await expect(access(join(restored, 'backup.json'))).rejects.toThrow();
  });

  it('take the beginning of an identifier, and say which jobs there are', async () => {
    const { folder, id } = await coordinatorFolder();
    const base = await temporaryFolder();
    expect(await job('backup', id.slice(0, 8), '--dir', folder, '--out', join(base, 'one'))).toContain('2 blobs');
    await expect(job('backup', 'another', '--dir', folder, '--out', join(base, 'two'))).rejects.toMatchObject({
      code: 'usage/no-such-job',
      message: `there is no job "another": the coordinator has ${id.slice(0, 12)} "crash matrix"`,
    });
    await expect(job('backup', id, '--dir', join(folder, 'away'), '--out', join(base, 'two'))).rejects.toMatchObject({
      code: 'usage/no-folder',
    });
  });

  it('never write over a job or a file', async () => {
    const { folder, id } = await coordinatorFolder();
    const out = join(await temporaryFolder(), 'backup');
    await job('backup', id, '--dir', folder, '--out', out);
    await expect(job('restore', out, '--dir', folder)).rejects.toMatchObject({ code: 'backup/target-in-use' });
    await expect(job('backup', id, '--dir', folder, '--out', out)).rejects.toMatchObject({
      code: 'backup/target-in-use',
    });
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    await expect(job('backup', id, '--dir', folder, '--out', file)).rejects.toMatchObject({
      code: 'backup/unwritable',
    });
    await expect(job('restore', file, '--dir', folder, '--json')).rejects.toMatchObject({
      code: 'backup/not-a-backup',
    });
    expect(JSON.parse(said.join(''))).toMatchObject({ error: { code: 'backup/not-a-backup' } });
  });
});
