import { type CellRuns, cellAt, type Setting } from '../cells.ts';
import { exceptions, percent, percentSpread } from '../format.ts';
import { heatScale } from './charts.ts';
import { breakable, html, type Markup } from './markup.ts';

/**
 * Rule by attack as a heat map in a table: final accuracy, mean ± sample standard deviation, each cell a link to what it is
 * made of; and the lowest mean of each row, which is what a rule is good for against whoever may choose.
 */
export function heatTable(setting: Setting): Markup {
  const means = setting.cells.map(({ summary }) => summary.final.mean).filter((mean) => mean !== null);
  const scale = heatScale([Math.min(...means), Math.max(...means)]);
  const hasWorst = setting.attacks.length > 1;
  return html`<div class="scroll"><table class="heat">
<thead><tr><th scope="col">final accuracy, %</th>${setting.attacks.map((attack) => html`<th scope="col">${breakable(attack)}</th>`)}${hasWorst && html`<th scope="col">worst</th>`}</tr></thead>
<tbody>${setting.rules.map(
    (rule) => html`<tr><th scope="row">${breakable(rule)}</th>${setting.attacks.map((attack) => {
      const cell = cellAt(setting, rule, attack);
      return cell === undefined ? html`<td></td>` : heatCell(cell, scale);
    })}${hasWorst && worstCell(setting, rule, scale)}</tr>
`,
  )}</tbody></table></div>`;
}

/** The cell of a rule with the lowest final accuracy; null where one of them has none to show, for that may be the worst. */
export function worstOf(setting: Setting, rule: string): CellRuns | null {
  const cells = setting.cells.filter(({ names }) => names.rule === rule);
  if (cells.length === 0 || cells.some(({ finished, planned }) => finished.length < planned)) return null;
  return cells.reduce((worst, cell) => (meanOf(cell) < meanOf(worst) ? cell : worst));
}

/** A cell of a heat map. */
export function heatCell(cell: CellRuns, scale: ReturnType<typeof heatScale>): Markup {
  const text = percentSpread(cell.summary.final);
  const told = exceptions(cell);
  const note = told !== '' && html`<small>${told}</small>`;
  if (text === null) return html`<td class="none"><a href="#${cell.anchor}">–</a>${note}</td>`;
  const { ground, text: ink } = scale(meanOf(cell));
  return html`<td style="background:${ground};color:${ink}"><a href="#${cell.anchor}">${text}</a>${note}</td>`;
}

function worstCell(setting: Setting, rule: string, scale: ReturnType<typeof heatScale>): Markup {
  const worst = worstOf(setting, rule);
  if (worst === null) return html`<td class="none">–</td>`;
  const { ground, text } = scale(meanOf(worst));
  return html`<td class="worst" style="background:${ground};color:${text}"><a href="#${worst.anchor}">${percent(meanOf(worst))}</a></td>`;
}

function meanOf(cell: CellRuns): number {
  return cell.summary.final.mean ?? 0;
}
