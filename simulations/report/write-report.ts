import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../contracts/package-root.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { cellsOf, settingsOf } from './cells.ts';
import { economicsCsv } from './economics-csv.ts';
import { latexTables } from './latex.ts';
import { hashOfFile, manifestOf } from './manifest.ts';
import { reportPage } from './page/page.ts';
import { readResults } from './read-results.ts';
import { summaryCsv } from './summary-csv.ts';

/** The file that a report is made of. */
const RESULTS = 'results.ndjson';

/**
 * Makes of `results.ndjson` in a folder `summary.csv`, `economics.csv`, `table.tex`, `report.html` and `manifest.json`
 * beside it. The same results give the same bytes, in whatever order their lines are; each file is replaced whole.
 *
 * @param folder - where the results are
 * @param experiment - what they are the results of
 * @param file - name of the experiment's file, for the command that repeats a run
 * @throws ReportError where the file is not the results of this experiment, or has none
 */
export async function writeReport(
  folder: string,
  experiment: Experiment,
  file = `${experiment.name}.toml`,
): Promise<void> {
  const lines = await readResults(join(folder, RESULTS), experiment);
  const cells = cellsOf(experiment, lines);
  const settings = settingsOf(cells);
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const files = {
    'summary.csv': summaryCsv(cells),
    'economics.csv': economicsCsv(settings),
    'table.tex': latexTables(experiment, settings),
    'report.html': reportPage({ experiment, file, lines, cells, settings, version }),
  };
  const hashes: Record<string, string> = { [RESULTS]: await hashOfFile(join(folder, RESULTS)) };
  for (const [name, text] of Object.entries(files)) {
    await replace(join(folder, name), text);
    hashes[name] = createHash('sha256').update(text).digest('hex');
  }
  const manifest = manifestOf(experiment, lines, { version, node: process.version }, hashes);
  await replace(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Readers see the old file or the new one, never half of it. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
