import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { registerDataCommands } from '../../../client/data/cli.ts';
import { encodeManifest } from '../../../shared/round/manifest.ts';
import { createToyJob } from '../toy-job.ts';
import { idxFiles } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const task = {
  kind: 'classification',
  architecture: {},
  training: {},
  data: { format: 'idx', inputShape: [2, 2], classes: ['even', 'odd', 'other'] },
};

/** Runs `data …` and gives back what it prints. */
async function run(...words: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    registerDataCommands(program);
    await program.parseAsync(['data', ...words], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

async function setUp() {
  const folder = await makeFolder({ ...idxFiles(60), 'task.json': JSON.stringify({ task }) });
  const manifest = join(folder, 'manifest.json');
  await writeFile(manifest, encodeManifest(createToyJob(40, { task }).terms.manifest));
  return { folder, manifest, state: join(folder, 'state') };
}

describe('fedanchor client data', () => {
  it('inspects data by a task alone, for people and as JSON', async () => {
    const { folder } = await setUp();
    const text = await run('inspect', folder, '--manifest', join(folder, 'task.json'));
    expect(text).toContain('60 records in 2 files (idx), 0 with the input of another one');
    expect(text).toContain('54 examples to train on, 6 held out');
    expect(text).toMatch(/even {8,}20 #{40}/);
    const report = JSON.parse(await run('inspect', folder, '--manifest', join(folder, 'task.json'), '--json'));
    expect(report).toMatchObject({ records: 60, histogram: [{ name: 'even', records: 20 }, {}, {}] });
    expect(report.commitment).toBeUndefined();
  });

  it('opens a record that was committed to, and checks it', async () => {
    const { folder, manifest, state } = await setUp();
    const { commitment } = JSON.parse(await run('inspect', folder, '--manifest', manifest, '--state', state, '--json'));
    const proof = join(folder, 'proof.json');
    await run('open', folder, '--manifest', manifest, '--state', state, '--record', '17', '--out', proof);
    expect((await stat(proof)).mode & 0o777).toBe(0o600);
    const record = join(folder, 'record');
    expect(await run('check', proof, '--commitment', commitment, '--out', record)).toBe(
      `record 17, of class 2, 4 bytes, is part of the data set ${commitment}\n`,
    );
    expect((await readFile(record))[0]).toBe(17);
    expect(JSON.parse(await run('check', proof, '--json'))).toMatchObject({ isPart: true, index: 17, label: 2 });
    await expect(run('check', proof, '--commitment', `0x${'00'.repeat(32)}`)).rejects.toMatchObject({
      code: 'data/bad-proof',
    });
    const kept = JSON.parse(await readFile(proof, 'utf8'));
    for (const change of [{ label: 1 }, { index: 16 }, { record: '0x00' }, { salt: '0x00' }, { more: 1 }]) {
      await writeFile(proof, JSON.stringify({ ...kept, ...change }));
      await expect(run('check', proof)).rejects.toMatchObject({ code: 'data/bad-proof' });
    }
  });

  it('names what keeps it from its work', async () => {
    const { folder, manifest, state } = await setUp();
    const alone = join(folder, 'task.json');
    const proof = join(folder, 'proof.json');
    await expect(
      run('open', folder, '--manifest', alone, '--state', state, '--record', '0', '--out', proof),
    ).rejects.toMatchObject({ code: 'data/bad-option' });
    await expect(
      run('open', folder, '--manifest', manifest, '--state', state, '--record', '60', '--out', proof),
    ).rejects.toMatchObject({ code: 'data/no-such-record' });
    await expect(run('check', join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'data/unreadable' });
    await writeFile(alone, '{"task":{"kind":"classification"}}');
    await expect(run('inspect', folder, '--manifest', alone)).rejects.toMatchObject({ code: 'data/bad-option' });
    await expect(run('fetch', 'imagenet', '--out', folder)).rejects.toThrow('mnist or fashion-mnist');
  });
});
