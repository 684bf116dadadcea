import type { Experiment, ResultLine } from '../../experiment/experiment.ts';
import type { CellRuns, Setting } from '../cells.ts';
import { counted } from '../format.ts';
import { concentrationTable, crimeTable } from './economics-tables.ts';
import { earningsFigure, figuresOf } from './figures.ts';
import { heatTable, settingText, worstTable } from './heat-table.ts';
import { html, type Markup, trusted } from './markup.ts';
import { methods } from './methods.ts';
import { PAGE_STYLE } from './page-style.ts';
import { brokenRuns, cellsTable, runsTable } from './run-tables.ts';
import { trafficTable } from './traffic-table.ts';

/** Points of all lines of a report together: what keeps one of thousands of runs small enough to open. */
const ALL_POINTS = 60_000;

/** Points of one line, at least and at most. */
const POINTS = { least: 12, most: 100 } as const;

/** What a report is made of. */
export interface ReportParts {
  /** The experiment. */
  readonly experiment: Experiment;
  /** Name of its file. */
  readonly file: string;
  /** Its results, in grid order. */
  readonly lines: readonly ResultLine[];
  /** The same in cells. */
  readonly cells: readonly CellRuns[];
  /** Cells in settings. */
  readonly settings: readonly Setting[];
  /** Version of the program. */
  readonly version: string;
}

/** `report.html`: one file that needs no other and no network; the same results give the same bytes. */
export function reportPage({ experiment, file, lines, cells, settings, version }: ReportParts): string {
  const points = Math.floor(ALL_POINTS / cells.length);
  const each = Math.min(POINTS.most, Math.max(POINTS.least, points));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${experiment.title}</title>
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
<header><h1>${experiment.title}</h1>
<p class="sub">Experiment ${experiment.name}, ${experiment.hash.slice(0, 16)}: ${outcomes(experiment, cells)}</p></header>
<section><h2>What was done</h2>${methods(experiment, lines)}</section>
<section><h2>How to read it</h2>
<p>Accuracies are percent of test examples. ${
    experiment.seeds.length > 1
      ? html`“a ± b” is the mean over the ${experiment.seeds.length} seeds of a cell and their sample standard deviation; a 95 % interval is of the mean,
by Student's t.`
      : 'There is one seed: no spread is known, and none is shown.'
  } Every number of a table belongs to a cell; cells are listed with their runs, and
runs with the hash of their final model. One run is repeated, to the same hash, by</p>
<pre>fedanchor simulate ${file} --out one-run --only id=RUN</pre></section>
${brokenRuns(cells)}
${
  settings.length > 1 &&
  html`<section><h2>Worst of all attacks</h2><p class="note">The lowest mean over the attacks, in percent, and the attack that brings it: what a rule is good
for against whoever may choose.</p>
${worstTable(settings, 'final')}${worstTable(settings, 'best')}</section>`
}
${settings.map((setting, index) => settingSection(setting, index, each))}
<section class="setting"><h2>Cells</h2>${cellsTable(cells)}</section>
<section><h2>Runs</h2><p class="note">The model is the beginning of the SHA-256 of its integers; <code>manifest.json</code> has it whole.</p>${runsTable(cells)}</section>
<footer>fedanchor ${version}; experiment ${experiment.hash}. Numbers for further use: <code>summary.csv</code>, <code>economics.csv</code>,
<code>table.tex</code>; all of every run: <code>results.ndjson</code>.</footer>
</body>
</html>
`;
  return page.markup;
}

function outcomes(experiment: Experiment, cells: readonly CellRuns[]): string {
  const sum = (of: (cell: CellRuns) => number): number => cells.reduce((so, cell) => so + of(cell), 0);
  const missing = experiment.runs.length - sum(({ runs }) => runs.length);
  const told = [
    `${sum(({ finished }) => finished.length)} finished`,
    ...[
      [sum(({ diverged }) => diverged), 'diverged'],
      [sum(({ failed }) => failed), 'failed'],
      [missing, 'not run'],
    ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
  ];
  return `${counted(experiment.runs.length, 'run')} in ${counted(cells.length, 'cell')}, ${told.join(', ')}.`;
}

function settingSection(setting: Setting, index: number, points: number): Markup {
  return html`<section class="setting" id="setting-${index + 1}"><h2>${settingText(setting.names)}</h2>
<p class="note">Darker is more accurate; <em>worst</em> is the lowest mean of the row, a dash where a cell lacks runs. <em>Final</em> is at the end,
<em>best</em> the highest along the curve. Each cell leads to its runs.</p>
${heatTable(setting, 'final')}${heatTable(setting, 'best')}
${figuresOf(setting, points)}
${trafficTable(setting)}
${earningsFigure(setting)}
${crimeTable(setting)}
${concentrationTable(setting)}</section>
`;
}
