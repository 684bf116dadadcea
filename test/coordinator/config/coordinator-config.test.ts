import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCoordinatorConfig } from '../../../coordinator/config/coordinator-config.ts';
import { writeNewConfig } from '../../../coordinator/config/template.ts';
import { temporaryFolder } from '../fixture.ts';

async function folderWith(text: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'coordinator.toml'), text);
  return folder;
}

describe('the configuration', () => {
  it('as init writes it is valid, complete and readable by its owner only', async () => {
    const folder = join(await temporaryFolder(), 'new');
    const file = await writeNewConfig({ folder, rpcUrls: ['http://127.0.0.1:1'], chainId: 5n, keyFile: '/keys/own' });
    expect(await loadCoordinatorConfig(folder)).toMatchObject({
      ...{ rpcUrls: ['http://127.0.0.1:1'], chainId: 5n, keyFile: '/keys/own', host: '127.0.0.1', port: 8547 },
      ...{ confirmations: 1, insecurePlaintext: false, operators: [], metricsAccess: 'loopback', tls: undefined },
    });
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    const again = writeNewConfig({ folder, rpcUrls: ['http://127.0.0.1:1'], chainId: 5n, keyFile: '/keys/own' });
    await expect(again).rejects.toMatchObject({ code: 'config/exists' });
  });

  it('is what every commented line of init says it is by default', async () => {
    const folder = await temporaryFolder();
    const file = await writeNewConfig({ folder, rpcUrls: ['http://127.0.0.1:1'], chainId: 5n, keyFile: '/k' });
    const text = await readFile(file, 'utf8');
    // Lines such as `# port = 8547`, but for those that are examples rather than defaults.
    const examples = /certFile|keyFile = "certificate|trustedProxies|addresses|\[listen\.tls\]|requestsPerJob/;
    const lines = text.split('\n').map((line) => {
      const commented = /^# (\[?[a-zA-Z.]+\]?( = .*)?)$/.exec(line);
      return commented?.[1] && /=|\[/.test(commented[1]) && !examples.test(line) ? commented[1] : line;
    });
    const spelledOut = await folderWith(lines.join('\n'));
    const { maxFeePerGasWei, limits, ...config } = await loadCoordinatorConfig(spelledOut);
    expect(maxFeePerGasWei).toBe(500n * 10n ** 9n);
    expect(limits).toEqual({ connections: 16_384 });
    const { maxFeePerGasWei: _, limits: __, ...left } = await loadCoordinatorConfig(folder);
    expect({ ...config, folder }).toEqual({ ...left, folder });
  });

  it('is overridden by flags, and takes paths from its own folder', async () => {
    const folder = await folderWith('[chain]\nrpc = "http://one"\n[wallet]\nkeyFile = "key"\n[listen]\nport = 1\n');
    expect(await loadCoordinatorConfig(folder)).toMatchObject({ keyFile: join(folder, 'key'), port: 1 });
    const flags = { rpc: ['http://two'], keyFile: 'mine', port: 2, host: '::1', logLevel: 'warn' };
    expect(await loadCoordinatorConfig(folder, flags)).toMatchObject({
      ...{ rpcUrls: ['http://two'], keyFile: 'mine', port: 2, host: '::1', logLevel: 'warn' },
    });
  });

  it.each([
    ['[lisen]\nport = 1\n', 'lisen', 'did you mean "listen"?'],
    ['[listen]\nprt = 1\n', 'listen.prt', 'did you mean "port"?'],
    ['[listen.tls]\ncert = "a"\n', 'listen.tls.cert', 'known here: certFile, keyFile'],
    ['[chain]\n', 'chain.rpc', 'address of a node'],
    ['[chain]\nrpc = "localhost:1"\n', 'chain.rpc', 'an address such as'],
    ['[listen]\nport = 70000\n', 'listen.port', '65535'],
    ['[log]\nlevel = "loud"\n', 'log.level', 'one of trace, debug'],
    ['[operators]\naddresses = ["me"]\n', 'operators.addresses.0', 'expected an address'],
    ['[limits]\nconnection = 1\n', 'limits.connection', 'did you mean "connections"?'],
  ])('%j is refused naming file and field, with a hint', async (text, field, hint) => {
    const folder = await folderWith(text);
    const refusal = loadCoordinatorConfig(folder);
    await expect(refusal).rejects.toMatchObject({ code: 'config/invalid', data: { field } });
    await expect(refusal).rejects.toThrow(join(folder, 'coordinator.toml'));
    await expect(refusal).rejects.toThrow(hint);
  });

  it('that is no TOML is refused with line and column', async () => {
    const refusal = loadCoordinatorConfig(await folderWith('[chain]\nrpc = \n'));
    await expect(refusal).rejects.toMatchObject({ code: 'config/syntax' });
    await expect(refusal).rejects.toThrow('line 2');
  });
});
