import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { initClient } from '../../../client/cli/init-command.ts';
import { loadClientConfig } from '../../../client/config/client-config.ts';
import { loadWallet } from '../../../contracts/wallet.ts';
import { temporaryFolder } from '../../coordinator/fixture.ts';

const PASSWORD = 'correct horse battery staple';
const environment = { FEDANCHOR_KEY_PASSWORD: PASSWORD };
const keystore = { scryptN: 1024 };

describe('client init', () => {
  it('makes a key that only its password opens, and a configuration that finds it', async () => {
    const folder = join(await temporaryFolder(), 'new');
    const made = await initClient({ folder, environment, keystore, job: `0x${'a1'.repeat(20)}` });
    expect((await readdir(folder)).sort()).toEqual(['client.toml', 'key.json']);
    for (const file of [made.config, made.keyFile]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readFile(file, 'utf8')).not.toContain(PASSWORD);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const config = await loadClientConfig(
      { config: made.config, coordinator: 'https://f.example', rpc: ['https://n.example'], data: ['x'] },
      1e9,
    );
    const wallet = await loadWallet({ keyFile: config.keyFile as string, environment });
    expect(wallet.address).toBe(made.address);
    const wrong = loadWallet({ keyFile: made.keyFile, environment: { FEDANCHOR_KEY_PASSWORD: 'guess' } });
    await expect(wrong).rejects.toMatchObject({ code: 'wallet/wrong-password' });
  });

  it.each(['client.toml', 'key.json'])('replaces no %s, and writes nothing beside it', async (name) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, name), 'mine');
    await expect(initClient({ folder, environment, keystore })).rejects.toMatchObject({ code: 'init/exists' });
    expect(await readdir(folder)).toEqual([name]);
    expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
  });

  it('uses a key that is there', async () => {
    const folder = await temporaryFolder();
    const keyFile = join(folder, 'own.key');
    await writeFile(keyFile, `0x${'7a'.repeat(32)}`, { mode: 0o600 });
    const made = await initClient({ folder: join(folder, 'new'), keyFile, environment });
    expect(made).toMatchObject({ keyFile, address: (await loadWallet({ keyFile, environment })).address });
    expect(await readdir(join(folder, 'new'))).toEqual(['client.toml']);
    expect(await readFile(made.config, 'utf8')).toContain(`keyFile = "${keyFile}"`);
  });

  it('asks twice where it is typed, shows neither, and writes nothing after a slip', async () => {
    const folder = await temporaryFolder();
    const input = new PassThrough();
    const output = new PassThrough();
    let shown = '';
    output.on('data', (chunk) => {
      shown += String(chunk);
      if (shown.endsWith(': ')) input.write(shown.includes('again') ? 'other\n' : `${PASSWORD}\n`);
    });
    const making = initClient({ folder, environment: {}, terminal: { input, output }, keystore });
    await expect(making).rejects.toMatchObject({ code: 'init/mistyped' });
    expect(shown).not.toContain(PASSWORD);
    expect(await readdir(folder)).toEqual([]);
  });

  it('needs a password from somewhere', async () => {
    const folder = await temporaryFolder();
    const making = initClient({ folder, environment: {}, terminal: undefined, keystore });
    await expect(making).rejects.toMatchObject({ code: 'password/none' });
  });
});
