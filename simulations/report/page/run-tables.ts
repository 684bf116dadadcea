import type { ResultLine } from '../../experiment/experiment.ts';
import type { CellRuns } from '../cells.ts';
import { bytes, duration, exceptions, percent, percentSpread } from '../format.ts';
import type { Spread } from '../statistics.ts';
import { byzantineShare } from '../summary.ts';
import { settingText } from './heat-table.ts';
import { breakable, html, type Markup } from './markup.ts';

/** Every cell in numbers, with the runs that it is made of. */
export function cellsTable(cells: readonly CellRuns[]): Markup {
  const hasTime = cells.some(({ summary }) => summary.seconds.mean !== null);
  return html`<div class="scroll"><table class="cells">
<thead><tr><th scope="col">cell</th><th scope="col" class="text">rule</th><th scope="col" class="text">attack</th><th scope="col" class="text">setting</th><th scope="col">final, %</th><th scope="col">95 %</th><th scope="col">best, %</th><th scope="col">Byzantine weight, %</th><th scope="col">sent</th>${hasTime && html`<th scope="col">virtual time</th>`}<th scope="col" class="text">runs</th></tr></thead>
<tbody>${cells.map((cell) => {
    const { anchor, names, runs, summary } = cell;
    const told = exceptions(cell);
    return html`<tr id="${anchor}"><th scope="row">${anchor.replace('cell-', '')}</th><td class="text">${breakable(names.rule)}</td><td class="text">${breakable(names.attack)}</td><td class="text">${settingText(names)}</td><td>${percentSpread(summary.final) ?? '–'}</td><td>${intervalText(summary.final)}</td><td>${percentSpread(summary.best) ?? '–'}</td><td>${percentSpread(summary.byzantineWeight) ?? '–'}</td><td>${sent(summary.bytesUp, summary.bytesDown)}</td>${hasTime && html`<td>${summary.seconds.mean === null ? '–' : duration(summary.seconds.mean)}</td>`}<td class="text">${runs.map(({ id }) => html`<a href="#run-${id}"><code>${id.slice(0, 6)}</code></a> `)}${told !== '' && html`<small>${told}</small>`}</td></tr>
`;
  })}</tbody></table></div>`;
}

/** Every run, with the hash of its final model. */
export function runsTable(cells: readonly CellRuns[]): Markup {
  return html`<div class="scroll"><table class="runs">
<thead><tr><th scope="col">run</th><th scope="col">cell</th><th scope="col" class="text">rule</th><th scope="col" class="text">attack</th><th scope="col">seed</th><th scope="col" class="text">outcome</th><th scope="col">final, %</th><th scope="col">best, %</th><th scope="col">Byz. weight, %</th><th scope="col" class="text">model</th></tr></thead>
<tbody>${cells.flatMap((cell) => cell.runs.map((run) => runRow(cell, run)))}</tbody></table></div>`;
}

function runRow({ anchor, names }: CellRuns, { id, cell, result }: ResultLine): Markup {
  const weight = byzantineShare(result);
  const isEmpty = result.curve.length === 0;
  return html`<tr id="run-${id}"${result.outcome !== 'finished' && html` class="broken"`}><th scope="row"><code>${id}</code></th><td><a href="#${anchor}">${anchor.replace('cell-', '')}</a></td><td class="text">${breakable(names.rule)}</td><td class="text">${breakable(names.attack)}</td><td>${cell.seed}</td><td class="text">${result.outcome}</td><td>${isEmpty ? '–' : percent(result.finalAccuracy, 2)}</td><td>${isEmpty ? '–' : percent(result.bestAccuracy, 2)}</td><td>${weight === null ? '–' : percent(weight)}</td><td class="text"><code>${result.modelHash.replace('0x', '').slice(0, 16) || '–'}</code></td></tr>
`;
}

/** The runs that did not finish, with their reasons; null where all did. */
export function brokenRuns(cells: readonly CellRuns[]): Markup | null {
  const broken = cells.flatMap((cell) =>
    cell.runs.filter(({ result }) => result.outcome !== 'finished').map((run) => ({ cell, run })),
  );
  if (broken.length === 0) return null;
  return html`<section><h2>Runs that did not finish</h2>
<p>Means leave them out and say so in every cell; a mean of the others alone makes a rule look better than it is.</p>
<div class="scroll"><table><thead><tr><th scope="col">run</th><th scope="col" class="text">rule</th><th scope="col" class="text">attack</th><th scope="col" class="text">setting</th><th scope="col">seed</th><th scope="col" class="text">outcome</th><th scope="col">last round tested</th><th scope="col" class="text">reason</th></tr></thead>
<tbody>${broken.map(
    ({ cell: { names }, run }) =>
      html`<tr><th scope="row"><a href="#run-${run.id}"><code>${run.id}</code></a></th><td class="text">${breakable(names.rule)}</td><td class="text">${breakable(names.attack)}</td><td class="text">${settingText(names)}</td><td>${run.cell.seed}</td><td class="text">${run.result.outcome}</td><td>${run.result.curve.at(-1)?.round ?? '–'}</td><td class="text">${run.result.reason === undefined ? '' : `${run.result.reason.message} [${run.result.reason.code}]`}</td></tr>
`,
  )}</tbody></table></div></section>`;
}

function intervalText({ mean, half }: Spread): string {
  return mean === null || half === null ? '–' : `${percent(mean - half)} to ${percent(mean + half)}`;
}

function sent(up: Spread, down: Spread): string {
  return up.mean === null ? '–' : bytes(up.mean + (down.mean ?? 0));
}
