import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readKeyPassword } from '../../contracts/key-password.ts';
import { encryptKey } from '../../contracts/keystore.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import { registerKeyCommands } from '../../coordinator/cli/key-commands.ts';
import { hash, wallet } from './harness.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-keys-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode });
  return path;
}

/** A terminal at which these lines are typed, each once it is asked for. */
function terminal(...lines: readonly string[]) {
  const input = new PassThrough();
  const output = new PassThrough();
  const shown: string[] = [];
  const left = [...lines];
  output.on('data', (chunk) => {
    shown.push(String(chunk));
    const next = String(chunk).startsWith('Password of') ? left.shift() : undefined;
    if (next !== undefined) setImmediate(() => input.write(`${next}\r`));
  });
  return { input, output, shown: () => shown.join('') };
}

const CHEAP = { scryptN: 2 };

describe('a keystore', () => {
  it('opens here and in another program, with its password alone, and shows no key', async () => {
    const key = hash('key of keeper');
    const text = await encryptKey(key, 'open sesame', CHEAP);
    expect(text).not.toContain(key.slice(2));
    expect(JSON.parse(text)).toMatchObject({ version: 3 });
    expect((await Wallet.fromEncryptedJson(text, 'open sesame')).privateKey).toBe(key);
    const keyFile = await file('keeper.json', text, 0o644);
    const open = (environment: Record<string, string>) => loadWallet({ keyFile, environment });
    expect((await open({ FEDANCHOR_KEY_PASSWORD: 'open sesame' })).address).toBe(wallet('keeper').address);
    await expect(open({ FEDANCHOR_KEY_PASSWORD: 'open' })).rejects.toMatchObject({ code: 'wallet/wrong-password' });
  });

  it('takes its password from a file that only its owner reads', async () => {
    const keyFile = await file('filed.json', await encryptKey(hash('key of filed'), 'from a file', CHEAP));
    const open = (path: string) => loadWallet({ keyFile, environment: { FEDANCHOR_KEY_PASSWORD_FILE: path } });
    const good = await file('password', 'from a file\nand more\n');
    expect((await open(good)).address).toBe(wallet('filed').address);
    const bare = await file('exposed', 'from a file\n', 0o644);
    await expect(open(bare)).rejects.toMatchObject({ code: 'password/exposed-file', data: { mode: '644' } });
    await expect(open(join(folder, 'none'))).rejects.toMatchObject({ code: 'password/unreadable-file' });
    await expect(open(await file('empty', '\n'))).rejects.toMatchObject({ code: 'password/empty' });
  });

  it('takes its password from a terminal, which does not show it', async () => {
    const keyFile = await file('typed.json', await encryptKey(hash('key of typed'), 'typed in', CHEAP));
    const typed = terminal('typed in');
    const { address } = await loadWallet({ keyFile, environment: {}, terminal: typed });
    expect(address).toBe(wallet('typed').address);
    expect(typed.shown()).toBe(`Password of the keystore ${keyFile}: \n`);
  });
});

describe('readKeyPassword', () => {
  it('prefers the environment, then the file, then the terminal', async () => {
    const path = await file('preferred', 'the file’s\n');
    const typed = () => terminal('the terminal’s');
    const both = { FEDANCHOR_KEY_PASSWORD: 'the environment’s', FEDANCHOR_KEY_PASSWORD_FILE: path };
    expect(await readKeyPassword('it', { environment: both, terminal: typed() })).toBe('the environment’s');
    const one = { FEDANCHOR_KEY_PASSWORD_FILE: path };
    expect(await readKeyPassword('it', { environment: one, terminal: typed() })).toBe('the file’s');
    expect(await readKeyPassword('it', { environment: {}, terminal: typed() })).toBe('the terminal’s');
    await expect(readKeyPassword('it', { environment: {} })).rejects.toMatchObject({ code: 'password/none' });
    const empty = { FEDANCHOR_KEY_PASSWORD: '' };
    await expect(readKeyPassword('it', { environment: empty })).rejects.toMatchObject({ code: 'password/empty' });
  });
});

describe('fedanchor key', () => {
  async function run(...words: readonly string[]): Promise<{ address: string }> {
    const printed: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const program = new Command().exitOverride();
    registerKeyCommands(program);
    await program.parseAsync(['key', ...words, '--json'], { from: 'user' });
    return JSON.parse(printed.join(''));
  }

  it('creates an encrypted key that every command takes', async () => {
    vi.stubEnv('FEDANCHOR_KEY_PASSWORD', 'in the environment');
    const path = join(folder, 'new', 'own.json');
    const { address } = await run('create', '--encrypt', path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      version: 3,
      Crypto: { kdfparams: { n: 2 ** 17 } },
    });
    expect((await run('show', path)).address).toBe(address);
    await expect(run('create', '--encrypt', path)).rejects.toMatchObject({ code: 'key/exists' });
  });

  it('still creates a plain one where no password is asked for', async () => {
    const path = join(folder, 'plain.key');
    const { address } = await run('create', path);
    expect(await readFile(path, 'utf8')).toMatch(/^0x[0-9a-f]{64}\n$/);
    expect((await run('show', path)).address).toBe(address);
  });

  it('writes nothing without a password', async () => {
    vi.stubEnv('FEDANCHOR_KEY_PASSWORD', '');
    const path = join(folder, 'unwritten.json');
    await expect(run('create', '--encrypt', path)).rejects.toMatchObject({ code: 'password/empty' });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
