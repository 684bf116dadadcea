import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeSafetensors } from '../../shared/safetensors.ts';
import { blocksOf, scriptOf } from './page-script.ts';

const PAGE = fileURLToPath(new URL('../../docs/between-companies.md', import.meta.url));
const ENTRY = fileURLToPath(new URL('../../dist/fedanchor.js', import.meta.url));
const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

let folder: string;
let shell: ChildProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-companies-'));
  for (const [name, sentence] of [
    ['northwind', 'every ship that leaves the harbour carries a letter to the north'],
    ['contoso', 'the clerk counts what the warehouse holds and writes it into the book'],
  ]) {
    await mkdir(join(folder, `${name}-texts`));
    const lines = Array.from({ length: 400 }, (_, line) => `${sentence}, ${line}.\n`);
    await writeFile(join(folder, `${name}-texts`, 'text.txt'), lines.join(''));
  }
});

afterAll(async () => {
  // The terminals that stay belong to the shell's own process group.
  if (shell?.pid !== undefined) {
    try {
      process.kill(-shell.pid, 'SIGTERM');
    } catch {
      // They have all ended.
    }
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

it('the page "between companies", followed literally but for its ports, does what the demonstration does', async () => {
  const page = await readFile(PAGE, 'utf8');
  const [chain, coordinator] = [await freePort(), await freePort()];
  const script = scriptOf(blocksOf(page)).replaceAll('8545', String(chain)).replaceAll('8547', String(coordinator));
  shell = spawn('bash', ['-c', script], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE: process.execPath, ENTRY, PATH: `${BINARIES}:${process.env['PATH']}` },
  });
  let output = '';
  shell.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  shell.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(shell, 'exit')) as [number | null];
  expect(output).toContain('THE PAGE IS DONE');
  expect(code).toBe(0);
  expect(output).toContain('round 3: on chain in block');
  expect(output.match(/✓ round/g)).toHaveLength(3);
  // The whole pot is paid out, to both.
  const paid = [...output.matchAll(/: (\d+) of token 0x[0-9a-f]{40} paid now/g)].map(([, amount]) =>
    BigInt(amount as string),
  );
  expect(paid).toHaveLength(2);
  expect(paid.every((amount) => amount > 0n)).toBe(true);
  expect(paid.reduce((sum, amount) => sum + amount, 0n)).toBeGreaterThan(3n * 10n ** 18n - 10n);
  const model = decodeSafetensors(await readFile(join(folder, 'model.safetensors')));
  const start = decodeSafetensors(await readFile(join(folder, 'start.safetensors')));
  expect(model.map(({ name, shape }) => [name, shape])).toEqual(start.map(({ name, shape }) => [name, shape]));
  expect(model[0]?.values).not.toEqual(start[0]?.values);
});
