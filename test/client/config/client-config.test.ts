import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBytes } from '../../../client/config/byte-size.ts';
import { type ClientFlags, loadClientConfig } from '../../../client/config/client-config.ts';
import { writeNewConfig } from '../../../client/config/template.ts';
import { temporaryFolder } from '../../coordinator/fixture.ts';

const A = `0x${'a1'.repeat(20)}` as const;
const B = `0x${'b2'.repeat(20)}` as const;
const MEMORY = 8e9;

async function configOf(text: string, flags: ClientFlags = {}) {
  const folder = await temporaryFolder();
  const file = join(folder, 'client.toml');
  await writeFile(file, text);
  return { folder, file, config: () => loadClientConfig({ config: file, ...flags }, MEMORY) };
}

const LEAST = `coordinator = "https://federation.example"
rpc = "https://node.example"
state = "state"
[[jobs]]
job = "${A}"
data = "texts"
`;

describe('a client’s configuration', () => {
  it('as init writes it is valid, readable by its owner only, and replaced by nobody', async () => {
    const file = join(await temporaryFolder(), 'new', 'client.toml');
    const told = { coordinator: 'https://f.example', rpc: ['https://n.example'], job: A, vault: B, data: ['d'] };
    await writeNewConfig(file, { ...told, keyFile: 'key.json' });
    const config = await loadClientConfig({ config: file }, MEMORY);
    const folder = join(file, '..');
    expect(config).toMatchObject({
      ...{ rpcUrls: told.rpc, keyFile: join(folder, 'key.json'), state: join(folder, 'state'), backend: 'auto' },
      ...{ insecurePlaintext: false, attest: true, logLevel: 'info', privacy: undefined, device: undefined },
      jobs: [{ job: A, vault: B, coordinator: told.coordinator, data: [join(folder, 'd')], trainer: undefined }],
      limits: { steps: 100_000, epochs: 1000, batchSize: 65_536, memoryBytes: MEMORY },
    });
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(writeNewConfig(file, { keyFile: 'k' })).rejects.toMatchObject({ code: 'config/exists' });
  });

  it('is valid with each of the lines that init leaves commented out', async () => {
    const file = join(await temporaryFolder(), 'client.toml');
    await writeNewConfig(file, { keyFile: 'key.json' });
    const lines = (await readFile(file, 'utf8'))
      .split('\n')
      .map((line) => (/^# (\[?[a-zA-Z]+\]?( = .+)?)$/.test(line) && /[=[]/.test(line) ? line.slice(2) : line));
    const { config } = await configOf(lines.join('\n'));
    expect(await config()).toMatchObject({
      ...{ device: '0', privacy: { clip: 1, noise: 8, epsilon: 8, delta: 1e-5 }, backend: 'auto' },
      jobs: [{ text: 'any', trainer: { command: 'python3 train.py', environmentNames: ['HF_HOME'], sandbox: 'none' } }],
      limits: { memoryBytes: 4 * 2 ** 30 },
    });
  });

  it('gives way to flags, and holds several jobs with what each has of its own', async () => {
    const text = `${LEAST}[[jobs]]\njob = "${B}"\ndata = ["x", "/y"]\ncoordinator = "https://other.example"\nseed = 3\n`;
    const { config, folder } = await configOf(text, { logLevel: 'debug', maxSteps: 5, memoryLimit: '1GiB' });
    expect(await config()).toMatchObject({
      jobs: [
        { job: A, coordinator: 'https://federation.example', data: [join(folder, 'texts')], seed: undefined },
        { job: B, coordinator: 'https://other.example', data: [join(folder, 'x'), '/y'], seed: 3 },
      ],
      ...{ logLevel: 'debug', limits: { steps: 5, memoryBytes: 2 ** 30 } },
    });
    const one = await configOf(text, { job: B });
    expect((await one.config()).jobs).toMatchObject([{ job: B, seed: 3 }]);
    const fresh = await configOf(text, { job: `0x${'c3'.repeat(20)}`, data: ['elsewhere'] });
    expect((await fresh.config()).jobs).toMatchObject([{ job: `0x${'c3'.repeat(20)}`, data: ['elsewhere'] }]);
  });

  it.each([
    ['an unknown name', LEAST.replace('state =', 'stat ='), 'config/invalid', /"stat".*did you mean "?state/i],
    ['an unknown name of a job', `${LEAST}dat = "x"`, 'config/invalid', /jobs\.0\.dat.*data/],
    ['an address that is none', LEAST.replace(A, '0x12'), 'config/invalid', /jobs\.0\.job.*40 hexadecimal/],
    ['another backend', `${LEAST}[training]\nbackend = "cuda"`, 'config/invalid', /training\.backend.*webgpu/],
    ['half of a privacy', `${LEAST}[privacy]\nclip = 1.0`, 'privacy/bad-option', /give all of/],
    ['one job twice', `${LEAST}[[jobs]]\njob = "${A}"\ndata = "y"`, 'config/invalid', /twice/],
    ['no job', 'coordinator = "https://f.example"\nrpc = "https://n.example"\nstate = "s"', 'config/missing', /--job/],
    ['no data', LEAST.replace('data = "texts"\n', ''), 'config/missing', /--data/],
    [
      'data with the key in it',
      LEAST.replace('state =', 'keyFile = "texts/own/key"\nstate ='),
      'config/invalid',
      /key.*texts/,
    ],
    ['what is no TOML', 'state = ', 'config/syntax', /line 1/],
    ['an amount that is none', `${LEAST}[training]\nmemoryLimit = "much"`, 'config/invalid', /4GiB/],
  ])('refuses %s', async (_, text, code, message) => {
    const { config } = await configOf(text);
    await expect(config()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each([
    ['1500', 1500],
    ['4GiB', 4 * 2 ** 30],
    ['800 MB', 8e8],
    ['1.5GB', 1.5e9],
    ['16 KiB', 16_384],
  ])('reads %s as an amount of memory', (text, bytes) => {
    expect(parseBytes(text, 'x')).toBe(bytes);
  });

  it.each(['', '-1', 'GiB', '4 XB', '4iB', '1e9', '0x10'])('reads %j as none', (text) => {
    expect(() => parseBytes(text, 'x')).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});
