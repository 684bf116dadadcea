import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parseHTML } from 'linkedom';
import { afterEach, describe, expect, it } from 'vitest';
import type { Experiment, ResultLine } from '../../../simulations/experiment/experiment.ts';
import { writeReport } from '../../../simulations/report/write-report.ts';
import { ndjsonOf, type Sample, sampleExperiment } from './sample-experiment.ts';

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** Everything that a report may have, and little of each. */
const NARROW = {
  ...{ rules: ['Average', 'NNM+Krum'], attacks: ['none', 'IPM:tau=2', 'Backdoor'], partitions: ['iid', 'shards'] },
  ...{ hasNetwork: true, tested: 4 },
};

/** The files of a report, by name. */
async function reportOf(experiment: Experiment, ndjson: string): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-report-'));
  folders.push(folder);
  await writeFile(join(folder, 'results.ndjson'), ndjson);
  await writeReport(folder, experiment);
  const names = ['summary.csv', 'economics.csv', 'table.tex', 'report.html', 'manifest.json'];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  );
}

/** Krum and the mean, in peace and under attack, three seeds: finals of 80, 82 and 84 %, 10 points less under attack. */
function small(): Sample {
  const { experiment, lines } = sampleExperiment({ rules: ['Average', 'Krum'], attacks: ['none', 'ALIE'], f: [2] });
  const changed = lines.map((line): ResultLine => {
    const accuracy = 0.8 + 0.02 * line.cell.seed - (line.cell.attack === 'none' ? 0 : 0.1);
    const curve = line.result.curve.map((point, index) => ({ ...point, accuracy: index === 0 ? 0.1 : accuracy }));
    return { ...line, result: { ...line.result, curve, finalAccuracy: accuracy, bestAccuracy: accuracy } };
  });
  return { experiment, lines: changed };
}

/** One run of them does not finish. */
function withOneBroken({ experiment, lines }: Sample, outcome: 'diverged' | 'failed'): Sample {
  const broken = lines.findIndex(({ cell }) => cell.rule === 'Average' && cell.attack === 'ALIE' && cell.seed === 1);
  return {
    experiment,
    lines: lines.map((line, index) =>
      index === broken
        ? {
            ...line,
            result: {
              ...line.result,
              outcome,
              reason: { code: 'simulation/diverged', message: 'the loss is not a number' },
              finalAccuracy: 0,
            },
          }
        : line,
    ),
  };
}

function rowsOf(csv: string | undefined): Record<string, string>[] {
  return parse(csv as string, { columns: true });
}

/** What of a parsed page is looked at. */
interface Page {
  readonly body: Element;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

interface Element {
  readonly id: string;
  readonly tagName: string;
  readonly textContent: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
}

function pageOf(files: Record<string, string>): Page {
  return parseHTML(files['report.html'] as string).document as unknown as Page;
}

function textsOf(page: Page, selector: string): string[] {
  return [...page.querySelectorAll(selector)].map((element) => element.textContent.trim());
}

describe('a report', () => {
  it('has the means, deviations and intervals of each cell', async () => {
    const { experiment, lines } = small();
    const files = await reportOf(experiment, ndjsonOf(lines));
    const rows = rowsOf(files['summary.csv']);
    expect(rows.map(({ rule, attack }) => `${rule} ${attack}`)).toEqual([
      ...['Average none', 'Average ALIE', 'Krum none', 'Krum ALIE'],
    ]);
    const [calm, attacked] = rows as [Record<string, string>, Record<string, string>];
    expect(calm).toMatchObject({ runs: '3', finished: '3', diverged: '0', failed: '0', missing: '0', n: '12', f: '2' });
    expect(Number(calm['final_mean'])).toBeCloseTo(0.82, 9);
    expect(Number(calm['final_sd'])).toBeCloseTo(0.02, 9);
    // 4.302653 · 0.02 / sqrt(3) = 0.0496828
    expect(Number(calm['final_low95'])).toBeCloseTo(0.82 - 0.0496828, 6);
    expect(Number(calm['final_high95'])).toBeCloseTo(0.82 + 0.0496828, 6);
    expect(Number(attacked['best_mean'])).toBeCloseTo(0.72, 9);
    expect(textsOf(pageOf(files), '.heat.final tbody tr')).toEqual([
      ...['Average82.0 ± 2.072.0 ± 2.072.0', 'Krum82.0 ± 2.072.0 ± 2.072.0'],
    ]);
    expect(files['table.tex']).toContain(
      '  Average & $\\mathbf{82.0 \\pm 2.0}$ & $\\mathbf{72.0 \\pm 2.0}$ \\\\\n  Krum & $\\mathbf{82.0 \\pm 2.0}$',
    );
  });

  it('has what attackers earned beside honest clients', async () => {
    const { experiment, lines } = small();
    const rows = rowsOf((await reportOf(experiment, ndjsonOf(lines)))['economics.csv']);
    const [calm, , , krum] = rows as [Record<string, string>, unknown, unknown, Record<string, string>];
    // Of the sample: an honest client earns 8.45 tokens a round, an attacker under Krum (the second rule) 1; 300 rounds, two attackers.
    expect(Number(krum['honest_reward_per_round'])).toBeCloseTo(8.45, 9);
    expect(Number(krum['attacker_relative'])).toBeCloseTo(1 / 8.45, 9);
    expect(Number(krum['forgone'])).toBeCloseTo(7.45 * 300 * 2, 6);
    expect(Number(krum['damage_points'])).toBeCloseTo(10, 6);
    expect(Number(krum['price_per_point'])).toBeCloseTo(447, 6);
    expect(Number(krum['attacker_net'])).toBeCloseTo(300 - 150, 6);
    expect([krum['stake_at_risk'], krum['stake_lost']]).toEqual(['2000', '0']);
    expect([calm['forgone'], calm['damage_points']]).toEqual(['', '']);
  });

  it.each(['diverged', 'failed'] as const)(
    'leaves a run that %s out of means, and says so everywhere',
    async (outcome) => {
      const { experiment, lines } = withOneBroken(small(), outcome);
      const files = await reportOf(experiment, ndjsonOf(lines));
      const row = rowsOf(files['summary.csv'])[1] as Record<string, string>;
      expect(row).toMatchObject({ rule: 'Average', attack: 'ALIE', runs: '3', finished: '2', [outcome]: '1' });
      expect(Number(row['final_mean'])).toBeCloseTo(0.72, 9);
      const page = pageOf(files);
      expect(textsOf(page, '.heat.final tbody tr')[0]).toBe(`Average82.0 ± 2.072.0 ± 2.82 of 3, 1 ${outcome}–`);
      expect(page.body.textContent).toContain('the loss is not a number [simulation/diverged]');
      expect(textsOf(page, 'tr.broken')).toHaveLength(1);
      // Its mean is that of the best of its column, but not of as many runs: it is not bold.
      expect(files['table.tex']).toContain('& $72.0 \\pm 2.8$$^\\dagger$ (2/3)');
      expect(files['table.tex']).toContain('& $\\mathbf{72.0 \\pm 2.0}$');
      // With a run less, the mean is not called the best of its column although it is the highest.
      const best = withOneBroken(small(), outcome);
      expect(files['table.tex']).not.toContain('\\mathbf{71.0');
      expect(best.lines).toHaveLength(12);
    },
  );

  it('counts runs that were not made', async () => {
    const { experiment, lines } = small();
    const files = await reportOf(experiment, ndjsonOf(lines.slice(0, 4)));
    expect(rowsOf(files['summary.csv']).map(({ missing }) => missing)).toEqual(['0', '2', '3', '3']);
    expect(textsOf(pageOf(files), '.heat.final tbody tr')[1]).toBe('Krum–0 of 3, 3 not run–0 of 3, 3 not run–');
    expect(files['table.tex']).toContain('Krum & -- & --');
    expect(JSON.parse(files['manifest.json'] as string).missing).toHaveLength(8);
  });

  it('has the same bytes twice, in whatever order the results are', async () => {
    const { experiment, lines } = sampleExperiment(NARROW);
    const once = await reportOf(experiment, ndjsonOf(lines));
    const again = await reportOf(experiment, ndjsonOf([...lines].reverse()));
    const { 'manifest.json': first, ...files } = once;
    const { 'manifest.json': second, ...others } = again;
    expect(others).toEqual(files);
    // The manifest has the hash of the results as they lie there, and that alone differs.
    const [a, b] = [JSON.parse(first as string), JSON.parse(second as string)];
    expect(a.files['results.ndjson']).not.toBe(b.files['results.ndjson']);
    expect({ ...b, files: { ...b.files, 'results.ndjson': a.files['results.ndjson'] } }).toEqual(a);
  });

  it('leads from every cell to its runs, and from there back', async () => {
    const { experiment, lines } = sampleExperiment(NARROW);
    const page = pageOf(await reportOf(experiment, ndjsonOf(lines)));
    const links = [...page.querySelectorAll('a[href]')].map((link) => link.getAttribute('href') as string);
    const anchors = new Set([...page.querySelectorAll('[id]')].map((element) => `#${element.id}`));
    expect(links.length).toBeGreaterThan(2 * lines.length);
    expect(links.filter((link) => !anchors.has(link))).toEqual([]);
    expect(lines.filter(({ id }) => !links.includes(`#run-${id}`))).toEqual([]);
    expect(page.body.textContent).toContain('fedanchor simulate e3.toml --out one-run --only id=RUN');
  });

  it('has a manifest that knows every file and model', async () => {
    const { experiment, lines } = small();
    const files = await reportOf(experiment, ndjsonOf(lines));
    const manifest = JSON.parse(files['manifest.json'] as string);
    for (const name of ['summary.csv', 'economics.csv', 'table.tex', 'report.html']) {
      expect(manifest.files[name]).toBe(
        createHash('sha256')
          .update(files[name] as string)
          .digest('hex'),
      );
    }
    expect(manifest.files['results.ndjson']).toBe(createHash('sha256').update(ndjsonOf(lines)).digest('hex'));
    expect(manifest.runs.map(({ modelHash }: { modelHash: string }) => modelHash)).toEqual(
      lines.map(({ result }) => result.modelHash),
    );
    expect(manifest.experiment).toMatchObject({ hash: experiment.hash, seeds: [0, 1, 2], runs: 12 });
    expect(files['report.html']).not.toContain(process.version);
  });
});

describe('a report on hostile names', () => {
  const evil = `./"><script>alert(1)</script>&'\${x}\\write18{x}_%.mjs`;

  it('has no element, address or command that they have brought', async () => {
    const sample = sampleExperiment({
      rules: ['Median', evil],
      attacks: ['none', evil],
      partitions: [evil],
      title: evil,
      seeds: [2],
    });
    const lines = sample.lines.map((line) => ({
      ...line,
      result: { ...line.result, outcome: 'diverged' as const, reason: { code: evil, message: evil } },
    }));
    const kept = [...lines.slice(0, -1), ...sample.lines.slice(-1)];
    const files = await reportOf(sample.experiment, ndjsonOf(kept));
    const page = pageOf(files);
    const tags = new Set([...page.querySelectorAll('*')].map(({ tagName }) => tagName.toLowerCase()));
    expect(
      [...tags].filter((tag) => ['script', 'iframe', 'img', 'link', 'object', 'base', 'form'].includes(tag)),
    ).toEqual([]);
    const attributes = [...page.querySelectorAll('*')].flatMap((element) => [...element.attributes]);
    expect(attributes.filter(({ name, value }) => name.startsWith('on') || value.includes('alert'))).toEqual([]);
    expect(page.querySelector('h1')?.textContent).toBe(evil);
    expect(textsOf(page, 'h2')).toContain(`${evil}, n\u00a0=\u00a013, f\u00a0=\u00a03`);
    // In charts, too, a name is text.
    expect(textsOf(page, 'figcaption')).toContain(evil);
    const [, ...tables] = (files['table.tex'] as string).split('\n\n');
    expect(tables.join('\n')).not.toMatch(/\\write18|[^\\]%|[^\\]_/);
    expect(tables.join('\n')).toContain('\\textbackslash{}write18\\{x\\}\\_\\%.mjs');
    expect(rowsOf(files['summary.csv'])[3]).toMatchObject({ rule: evil, attack: evil, partition: evil });
  });

  it('fetches nothing', async () => {
    const { experiment, lines } = sampleExperiment(NARROW);
    const page = (await reportOf(experiment, ndjsonOf(lines)))['report.html'] as string;
    expect(page.match(/(?:src|href|url)\s*[=(]\s*["']?(?!#)[^"'\s>]+/g) ?? []).toEqual([]);
    expect(page.replaceAll('http://www.w3.org/', '')).not.toContain('://');
    expect(page).toContain("default-src 'none'");
  });
});
