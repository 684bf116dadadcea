import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerClientCommands } from '../../client/cli.ts';
import { humanLine } from '../../client/cli-log.ts';

let folder: string;
let key: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-cli-'));
  key = join(folder, 'key');
  await writeFile(key, `0x${'7a'.repeat(32)}\n`);
  await chmod(key, 0o600);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `fedanchor client run` with these options in place of or beside good ones. */
async function run(changes: Readonly<Record<string, string | null>> = {}): Promise<string> {
  const said: string[] = [];
  const program = new Command('fedanchor');
  registerClientCommands(program);
  const configure = (command: Command): void => {
    command
      .exitOverride()
      .configureOutput({ writeErr: (text) => said.push(text), writeOut: (text) => said.push(text) });
    command.commands.forEach(configure);
  };
  configure(program);
  const options = {
    coordinator: 'http://127.0.0.1:9',
    rpc: 'http://127.0.0.1:9',
    job: `0x${'a1'.repeat(20)}`,
    'key-file': key,
    data: join(folder, 'texts'),
    state: join(folder, 'state'),
    'log-level': 'silent',
    ...changes,
  };
  const args = Object.entries(options).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]));
  await program.parseAsync(['node', 'fedanchor', 'client', 'run', ...args]).catch((error: Error) => {
    throw Object.assign(error, { said: said.join('') });
  });
  return said.join('');
}

describe('fedanchor client run', () => {
  it.each(['coordinator', 'rpc', 'job', 'data', 'state'])('asks for --%s', async (name) => {
    const error = { code: 'config/missing', message: expect.stringContaining(`--${name} <`) };
    await expect(run({ [name]: null })).rejects.toMatchObject(error);
  });

  it.each([
    ['job', '0x12'],
    ['seed', '-1'],
    ['seed', 'often'],
    ['backend', 'cuda'],
    ['text', 'images'],
    ['log-level', 'loud'],
    ['max-steps', '0'],
  ])('refuses --%s %s', async (name, value) => {
    await expect(run({ [name]: value })).rejects.toMatchObject({ said: expect.stringContaining(value) });
  });

  it('says that the key file is missing', async () => {
    await expect(run({ 'key-file': join(folder, 'none') })).rejects.toMatchObject({ code: 'wallet/unreadable-file' });
  });

  it('says that the node cannot be reached', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'ledger/unreachable' });
  });
});

describe('humanLine', () => {
  it('shows time, level, message and fields', () => {
    const entry = { level: 40, time: Date.UTC(2026, 0, 2, 3, 4, 5), msg: 'round declined', round: 3, code: 'a/b' };
    expect(humanLine(JSON.stringify(entry))).toBe('03:04:05 warn  round declined round=3 code=a/b\n');
  });

  it('keeps what others wrote on one line, and off the terminal', () => {
    const entry = { level: 30, time: 0, msg: 'x', reason: 'over\n00:00:00 info  paid\u001b[2J\u009b' };
    expect(humanLine(JSON.stringify(entry))).toBe(
      '00:00:00 info  x reason=over\\x0a00:00:00 info  paid\\x1b[2J\\x9b\n',
    );
  });
});
