import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPageRun, type PageRun } from './page-run.ts';
import { blocksOf, scriptOf } from './page-script.ts';

const PAGE = fileURLToPath(new URL('../../docs/research.md', import.meta.url));

/** What of a line of results is looked at. */
interface Line {
  readonly cell: { readonly rule: string; readonly attack: string };
  readonly result: { readonly outcome: string; readonly finalAccuracy: number };
}

let page: PageRun;

// Each try begins in an empty folder.
beforeEach(async () => {
  page = await openPageRun();
});

afterEach(() => page.close());

it('the page "from nothing to a figure", followed literally in an empty folder, ends with reports that hold', async () => {
  const text = await readFile(PAGE, 'utf8');
  // Files are shown behind their names.
  for (const [, name = '', content = ''] of text.matchAll(/`([a-z-]+\.(?:mjs|toml))`:\n\n```\w+\n([\s\S]*?)^```$/gm)) {
    await writeFile(join(page.folder, name), content);
  }
  const output = await page.follow(scriptOf(blocksOf(text)));
  expect(output).not.toMatch(/diverged|failed/);
  const lines = (await readFile(join(page.folder, 'results/moons/results.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  expect(lines).toHaveLength(4 * 3 * 3);
  const accuracy = (rule: string, attack: string): number => {
    const found = lines.filter(({ cell }) => cell.rule.startsWith(rule) && cell.attack.startsWith(attack));
    expect(found).toHaveLength(3);
    return found.reduce((sum, { result }) => sum + result.finalAccuracy, 0) / 3;
  };
  // The attack defeats a mean, and the rule of one's own withstands it.
  expect(accuracy('Average', 'none')).toBeGreaterThan(0.85);
  expect(accuracy('Average', 'IPM')).toBeLessThan(0.4);
  expect(accuracy('./my-rule.mjs', 'IPM')).toBeGreaterThan(0.85);
  const report = await readFile(join(page.folder, 'results/moons/report.html'), 'utf8');
  expect(report).toContain('Two moons at ten sites');
  expect(await readFile(join(page.folder, 'results/moons/table.tex'), 'utf8')).toContain('\\toprule');
});
