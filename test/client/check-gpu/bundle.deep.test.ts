import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findVulkan } from '../trainers/tfjs/software-vulkan.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const missing = await findVulkan();
let outside: string;
let bundle: string;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'gpu-bundle-'));
  bundle = join(outside, 'bundle');
  await run(process.execPath, [join(root, 'setup.mjs'), '.setup/check-gpu.mjs', '--bundle', bundle], { cwd: root });
});

afterAll(() => rm(outside, { recursive: true, force: true }));

/** Bytes of all files of the folder, each compressed by itself. */
async function compressedBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const packed = createReadStream(join(entry.parentPath, entry.name)).pipe(createGzip());
    for await (const chunk of packed) bytes += (chunk as Buffer).length;
  }
  return bytes;
}

it('is below 60 MB when compressed', async () => {
  expect(await compressedBytes(bundle)).toBeLessThan(60e6);
});

it('trains without packages and with no Node but its own', async () => {
  const file = join(outside, 'report.json');
  const env = { PATH: '/usr/bin:/bin', VK_ICD_FILENAMES: process.env['VK_ICD_FILENAMES'] };
  const backends = missing === undefined ? ['wasm', 'webgpu'] : ['wasm'];
  const args = ['--backend', ...backends, '--models', 'mlp', '--seconds', '0.1', '--leak-rounds', '4', '--json', file];
  const { stdout } = await run(join(bundle, 'run.sh'), args, { cwd: outside, env });
  const report = JSON.parse(await readFile(file, 'utf8'));
  expect(report.backends.map(({ name, passed }: { name: string; passed: boolean }) => [name, passed])).toEqual(
    backends.map((name) => [name, true]),
  );
  expect(stdout).toContain('| wasm | CPU | mlp | 235,146 |');
  await expect(access(join(bundle, 'node_modules'))).rejects.toThrow();
});

it('says what is missing on a machine without a driver, by exit code as well', async () => {
  const env = { PATH: '/usr/bin:/bin', VK_ICD_FILENAMES: '/nonexistent.json' };
  const failed = await run(join(bundle, 'run.sh'), ['--backend', 'webgpu'], { cwd: outside, env }).catch(
    (error) => error,
  );
  expect(failed.code).toBe(1);
  expect(failed.stdout).toMatch(/webgpu is not available: (WebGPU finds no adapter|there is no Vulkan loader)/);
});

it('is not written over anything', async () => {
  await writeFile(join(outside, 'mine'), '');
  const writing = run(process.execPath, ['.setup/check-gpu.mjs', '--bundle', outside], { cwd: root });
  await expect(writing).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') });
});
