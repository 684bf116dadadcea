import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addRunOptions, type RunFlags } from '../../../client/cli/run-options.ts';
import { loadClientConfig } from '../../../client/config/client-config.ts';

const ANCHOR = `0x${'a1'.repeat(20)}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a file and flags make of a job's trainer. */
async function trainerOf(table: string, ...args: readonly string[]) {
  const file = join(folder, 'client.toml');
  await writeFile(
    file,
    `coordinator = "http://127.0.0.1:9"\nrpc = "http://127.0.0.1:9"\nstate = "state"\n[[jobs]]\njob = "${ANCHOR}"\n${table}`,
  );
  let flags: RunFlags | undefined;
  const command = addRunOptions(new Command('run'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action((options: RunFlags) => {
      flags = options;
    });
  await command.parseAsync(['--config', file, ...args], { from: 'user' });
  const { jobs } = await loadClientConfig(flags as RunFlags, 2 ** 30);
  return jobs[0];
}

const TABLE = `
trainer = "python3 train.py"
trainerEnv = ["HF_HOME"]
trainerSandbox = "bwrap"
trainerRead = ["venv"]
trainerTimeouts = { hello = 5, train = 0.5 }
`;

describe('a trainer in a configuration', () => {
  it('is read with all it may reach, its paths relative to the file', async () => {
    expect(await trainerOf(TABLE)).toMatchObject({
      data: [],
      trainer: {
        command: 'python3 train.py',
        cwd: folder,
        environmentNames: ['HF_HOME'],
        sandbox: 'bwrap',
        readable: [join(folder, 'venv')],
        timeouts: { helloMs: 5_000, trainMs: 500 },
      },
    });
    expect(await trainerOf(`${TABLE}trainerCwd = "work"`)).toMatchObject({ trainer: { cwd: join(folder, 'work') } });
  });

  it('gives way to flags', async () => {
    const flags = ['--trainer', 'julia train.jl', '--trainer-cwd', '/work', '--trainer-sandbox', 'none'];
    const limits = ['--trainer-timeouts', 'train=60,cancel=2', '--trainer-read', '/a', '/b', '--trainer-env', 'A', 'B'];
    expect(await trainerOf(TABLE, ...flags, ...limits)).toMatchObject({
      trainer: {
        command: 'julia train.jl',
        cwd: '/work',
        environmentNames: ['A', 'B'],
        sandbox: 'none',
        readable: ['/a', '/b'],
        timeouts: { helloMs: 5_000, trainMs: 60_000, cancelMs: 2_000 },
      },
    });
  });

  it.each([
    ['trainerSandbox = "chroot"', 'none, bwrap'],
    ['trainerEnv = ["A B"]', 'names of variables'],
    ['trainerTimeouts = { train = 0 }', 'trainerTimeouts'],
    ['trainerTimeouts = { trian = 5 }', 'trian'],
  ])('refuses %s', async (line, why) => {
    await expect(trainerOf(`trainer = "x"\n${line}`)).rejects.toThrow(why);
  });

  it.each(['train', 'train=', 'train=0', 'train=-5', 'sleep=5', 'train=5s'])(
    'refuses --trainer-timeouts %s',
    async (text) => {
      await expect(trainerOf(TABLE, '--trainer-timeouts', text)).rejects.toThrow('hello=SECONDS');
    },
  );
});
