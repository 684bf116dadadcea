import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeSafetensors } from '../../shared/safetensors.ts';
import { freePort, openPageRun, type PageRun } from './page-run.ts';
import { blocksOf, scriptOf } from './page-script.ts';

const PAGE = fileURLToPath(new URL('../../docs/between-companies.md', import.meta.url));

let page: PageRun;

beforeAll(async () => {
  page = await openPageRun();
  for (const [name, sentence] of [
    ['northwind', 'every ship that leaves the harbour carries a letter to the north'],
    ['contoso', 'the clerk counts what the warehouse holds and writes it into the book'],
  ]) {
    await mkdir(join(page.folder, `${name}-texts`));
    const lines = Array.from({ length: 400 }, (_, line) => `${sentence}, ${line}.\n`);
    await writeFile(join(page.folder, `${name}-texts`, 'text.txt'), lines.join(''));
  }
});

afterAll(() => page.close());

it('the page "between companies", followed literally but for its ports, does what the demonstration does', async () => {
  const [chain, coordinator] = [await freePort(), await freePort()];
  const commands = scriptOf(blocksOf(await readFile(PAGE, 'utf8')));
  const output = await page.follow(commands.replaceAll('8545', String(chain)).replaceAll('8547', String(coordinator)));
  expect(output).toContain('round 3: on chain in block');
  expect(output.match(/✓ round/g)).toHaveLength(3);
  // The whole pot is paid out, to both.
  const paid = [...output.matchAll(/: (\d+) of token 0x[0-9a-f]{40} paid now/g)].map(([, amount]) =>
    BigInt(amount as string),
  );
  expect(paid).toHaveLength(2);
  expect(paid.every((amount) => amount > 0n)).toBe(true);
  expect(paid.reduce((sum, amount) => sum + amount, 0n)).toBeGreaterThan(3n * 10n ** 18n - 10n);
  const model = decodeSafetensors(await readFile(join(page.folder, 'model.safetensors')));
  const start = decodeSafetensors(await readFile(join(page.folder, 'start.safetensors')));
  expect(model.map(({ name, shape }) => [name, shape])).toEqual(start.map(({ name, shape }) => [name, shape]));
  expect(model[0]?.values).not.toEqual(start[0]?.values);
});
