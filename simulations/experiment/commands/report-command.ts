import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeReport } from '../../report/write-report.ts';
import { ExperimentError } from '../experiment-error.ts';
import { readFolderFacts } from '../results/experiment-folder.ts';
import { RESULTS_FILE } from '../results/results-store.ts';

/**
 * `fedanchor simulate report`: makes the report of a folder of results again.
 *
 * @throws ExperimentError `experiment/not-there`; ReportError
 */
export async function reportAgain(folder: string): Promise<void> {
  const facts = await readFolderFacts(folder);
  if (facts === undefined || !existsSync(join(folder, RESULTS_FILE))) {
    const remedy = facts === undefined ? 'name the --out of an experiment' : 'make its runs first, with --resume';
    throw new ExperimentError('experiment/not-there', `${folder} has no results: ${remedy}`, { folder });
  }
  await writeReport(folder, facts.experiment, facts.file);
  process.stdout.write(`the report is ${join(folder, 'report.html')}\n`);
}
